"""The resolver of a template's intrinsic functions, as in CloudFormation's deployment.

A value that the kit can't resolve becomes a placeholder, which only fails a test that uses it.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from patchbay.testkit.reading.unknown import placeholder

ACCOUNT = "123456789012"
REGION = "us-east-1"

PSEUDO: Mapping[str, Any] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
    "AWS::NotificationARNs": [],
}
_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
_SSM_VALUE = "AWS::SSM::Parameter::Value<"


class Intrinsics:
    """The resolver of one stack's template.

    `ref` and `attribute` resolve its resources. `given`, `imported` and `dynamic` resolve values
    from outside: parameters, exports of other stacks, and dynamic references.
    """

    def __init__(
        self,
        stack: str,
        template: Mapping[str, Any],
        *,
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
        given: Callable[[str], Any],
        imported: Callable[[str], Any],
        dynamic: Callable[[str], Any],
    ) -> None:
        self._stack = stack
        self._template = template
        self._ref_of = ref
        self._attribute_of = attribute
        self._given = given
        self._imported = imported
        self._dynamic = dynamic
        self._conditions: dict[str, bool] = {}

    def resolve(self, value: Any) -> Any:
        """Return the value that the service receives, with placeholders for unknown parts."""
        if isinstance(value, str):
            return self._with_dynamic(value)
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not None]
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

    def holds(self, condition: str) -> bool:
        """Return whether a condition of the template is true."""
        if condition not in self._conditions:
            self._conditions[condition] = self._judge(self._template["Conditions"][condition])
        return self._conditions[condition]

    def _judge(self, condition: Any) -> bool:
        match condition:
            case {"Condition": name}:
                return self.holds(name)
            case {"Fn::Equals": [one, other]}:
                return bool(str(self.resolve(one)) == str(self.resolve(other)))
            case {"Fn::And": [*parts]}:
                return all(self._judge(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return any(self._judge(part) for part in parts)
            case {"Fn::Not": [part]}:
                return not self._judge(part)
        return False

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Fn::GetAtt", [logical_id, attribute]:
                return self._attribute_of(logical_id, self.resolve(attribute))
            case "Fn::GetAtt", str():
                return self._attribute_of(*argument.split(".", 1))
            case "Fn::Join", [separator, parts]:
                return self._with_dynamic(separator.join(str(part) for part in self.resolve(parts)))
            case "Fn::Split", [separator, text]:
                return str(self.resolve(text)).split(separator)
            case "Fn::Select", [index, items]:
                return self._select(int(self.resolve(index)), self.resolve(items))
            case "Fn::Sub", str():
                return self._with_dynamic(self._sub(argument, {}))
            case "Fn::Sub", [text, variables]:
                return self._with_dynamic(self._sub(text, self.resolve(variables)))
            case "Fn::If", [condition, yes, no]:
                return self.resolve(yes if self.holds(condition) else no)
            case "Fn::FindInMap", [name, first, second, *_]:
                return self._find(*map(self.resolve, (name, first, second)))
            case "Fn::Base64", text:
                return base64.b64encode(str(self.resolve(text)).encode()).decode()
            case "Fn::ImportValue", export:
                return self._imported(str(self.resolve(export)))
            case "Fn::GetAZs", _:
                return [REGION + letter for letter in "abc"]
            case "Fn::ToJsonString", item:
                return json.dumps(self.resolve(item))
            case "Fn::Length", items:
                return len(self.resolve(items))
        return self._unknown(name, f"uses {name}, which the kit can't resolve")

    def _select(self, index: int, items: Sequence[Any]) -> Any:
        if isinstance(items, str) or index >= len(items):
            return self._unknown("Fn::Select", f"selects number {index} of {items!r}")
        return items[index]

    def _find(self, mapping: str, first: str, second: str) -> Any:
        try:
            return self._template["Mappings"][mapping][first][second]
        except KeyError:
            what = f"looks up {first}, {second} in its mapping {mapping}, which has no such entry"
            return self._unknown(mapping, what)

    def _sub(self, text: str, variables: Mapping[str, Any]) -> str:
        def value_of(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name in variables:
                return str(variables[name])
            if "." in name:
                return str(self._attribute_of(*name.split(".", 1)))
            return str(self._ref(name))

        return _VARIABLE.sub(value_of, text).replace("${!", "${")

    def _ref(self, name: str) -> Any:
        if name in PSEUDO:
            return PSEUDO[name]
        if name == "AWS::StackName":
            return self._stack
        if name == "AWS::StackId":
            where = f"{REGION}:{ACCOUNT}"
            return f"arn:aws:cloudformation:{where}:stack/{self._stack}/the-kit"
        parameters = self._template.get("Parameters", {})
        if name not in parameters:
            return self._ref_of(name)
        given = self._given(name)
        if given is None:
            given = parameters[name].get("Default")
        if given is None:
            return self._unknown(
                name,
                f"has no value for its parameter {name}: pass it in `Templates.from_assembly(…, "
                f'values={{"{name}": …}})`',
            )
        kind = str(parameters[name].get("Type", "String"))
        if kind.startswith(_SSM_VALUE):
            given = self._dynamic(f"{{{{resolve:ssm:{given}}}}}")
        listed = kind in ("CommaDelimitedList", "List<Number>") or kind.startswith(
            ("List<", f"{_SSM_VALUE}List<")
        )
        return given.split(",") if listed and isinstance(given, str) else given

    def _with_dynamic(self, text: str) -> str:
        if "{{resolve:" not in text:
            return text
        return _DYNAMIC.sub(lambda found: str(self._dynamic(found[0])), text)

    def _unknown(self, what: str, reason: str) -> str:
        return placeholder(what, f"Stack {self._stack} {reason}.")
