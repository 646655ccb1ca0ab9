"""Resolves a template's intrinsic functions, as CloudFormation does when it deploys."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from patchbay.testkit.errors import NotDeployable, NotInTheKit

ACCOUNT = "123456789012"
REGION = "us-east-1"

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}
_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}")


class Intrinsics:
    """Resolves what one stack's template says, from what its resources are called."""

    def __init__(
        self,
        stack: str,
        *,
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
        parameters: Mapping[str, Any],
    ) -> None:
        self._stack = stack
        self._ref_of = ref
        self._attribute_of = attribute
        self._parameters = parameters

    def resolve(self, value: Any) -> Any:
        """The value as the service gets it; raises NotInTheKit for a function it does not know."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not None}

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Fn::GetAtt", [logical_id, attribute]:
                return self._attribute_of(logical_id, attribute)
            case "Fn::GetAtt", str():
                return self._attribute_of(*argument.split(".", 1))
            case "Fn::Join", [separator, parts]:
                return separator.join(str(part) for part in self.resolve(parts))
            case "Fn::Split", [separator, text]:
                return str(self.resolve(text)).split(separator)
            case "Fn::Select", [index, items]:
                return self.resolve(items)[int(index)]
            case "Fn::Sub", str():
                return self._sub(argument, {})
            case "Fn::Sub", [text, variables]:
                return self._sub(text, self.resolve(variables))
        raise NotInTheKit(f"Stack {self._stack} uses {name}, which the kit can't resolve.")

    def _sub(self, text: str, variables: Mapping[str, Any]) -> str:
        def value_of(found: re.Match[str]) -> str:
            name = found[1]
            if name in variables:
                return str(variables[name])
            if "." in name:
                return str(self._attribute_of(*name.split(".", 1)))
            return str(self._ref(name))

        return _VARIABLE.sub(value_of, text).replace("${!", "${")

    def _ref(self, name: str) -> Any:
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self._parameters:
            parameter = self._parameters[name]
            if "Default" not in parameter:
                raise NotDeployable(f"Stack {self._stack}: the parameter {name} has no value.")
            return parameter["Default"]
        return self._ref_of(name)
