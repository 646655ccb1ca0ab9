"""Stacks with their references resolved, also references to other stacks."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from patchbay.testkit.reading.arns import Names, kind_of
from patchbay.testkit.reading.intrinsics import Intrinsics
from patchbay.testkit.reading.unknown import placeholder


@dataclass(eq=False)
class Resource:
    """One resource. Its properties are resolved when they are read."""

    stack: "Stack"
    id: str
    path: str
    """The path of its construct in the app; empty if unknown."""

    @property
    def body(self) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self.stack.resources[self.id]
        return body

    @property
    def kind(self) -> str:
        return kind_of(self.body)

    @cached_property
    def name(self) -> str:
        return self.stack.names.name(self.id)

    @property
    def has_own_name(self) -> bool:
        """True if the template sets its name."""
        return self.stack.names.is_written(self.id)

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.stack.resolve(self.body.get("Properties", {}))
        return found

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {self.id} in stack {self.stack.name})"


class Stack:
    """One stack of an app."""

    def __init__(self, name: str, body: Mapping[str, Any], app: "App") -> None:
        self.name = name
        self.body = body
        self._app = app
        self._intrinsics = Intrinsics(
            name.replace("/", "-"),
            body,
            ref=lambda logical_id: self.names.ref(logical_id),
            attribute=lambda logical_id, attribute: self.names.attribute(logical_id, attribute),
            given=self._given,
            imported=lambda export: app.export(export, self.name),
            dynamic=app.dynamic,
        )
        self.names = Names(name, self.resources, self.resolve, self._nested_output)

    @cached_property
    def resources(self) -> dict[str, Mapping[str, Any]]:
        """Its resources by their logical ids, without those whose condition is false."""
        return {
            logical_id: resource
            for logical_id, resource in self.body.get("Resources", {}).items()
            if "Condition" not in resource or self._intrinsics.holds(resource["Condition"])
        }

    def resolve(self, value: Any) -> Any:
        """Return a value of the template with its references resolved."""
        return self._intrinsics.resolve(value)

    def output(self, name: str) -> Any:
        """Return the value of an output."""
        if name not in self.body.get("Outputs", {}):
            return placeholder(name, f"Stack {self.name} has no output {name}.")
        return self.resolve(self.body["Outputs"][name]["Value"])

    def _given(self, parameter: str) -> Any:
        """Return a parameter's value from the parent of a nested stack, or from the test."""
        parent, _, logical_id = self.name.rpartition("/")
        if parent in self._app.stacks:
            outer = self._app.stacks[parent]
            parameters = outer.resources[logical_id].get("Properties", {}).get("Parameters", {})
            if parameter in parameters:
                return outer.resolve(parameters[parameter])
        return self._app.values.get(parameter)

    def _nested_output(self, logical_id: str, output: str) -> Any:
        nested = self._app.stacks.get(f"{self.name}/{logical_id}")
        if nested is None:
            reason = (
                f"The nested stack {logical_id} of {self.name} has no template in the assembly."
            )
            return placeholder(output, reason)
        return nested.output(output)


class App:
    """All stacks of an app, with their exports and parameters."""

    def __init__(self, bodies: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> None:
        self.values = values
        self.stacks: dict[str, Stack] = {}
        for name, body in bodies.items():
            self.stacks[name] = Stack(name, body, self)

    def export(self, name: str, importer: str) -> Any:
        """Return the value of another stack's export."""
        if name in self._exports:
            stack, output = self._exports[name]
            return stack.output(output)
        if name in self.values:
            return self.values[name]
        return placeholder(
            "Fn::ImportValue",
            f"Stack {importer} uses Fn::ImportValue {name}, which no stack here exports: "
            f'pass it in `Templates.from_assembly(…, values={{"{name}": …}})`.',
        )

    @cached_property
    def _exports(self) -> dict[str, tuple[Stack, str]]:
        return {
            str(stack.resolve(output["Export"]["Name"])): (stack, name)
            for stack in self.stacks.values()
            for name, output in stack.body.get("Outputs", {}).items()
            if "Export" in output
        }

    def dynamic(self, reference: str) -> Any:
        """Return the value of a dynamic reference, `{{resolve:service:name…}}`."""
        if reference in self.values:
            return self.values[reference]
        service, _, rest = reference.strip("{}").removeprefix("resolve:").partition(":")
        found = self._parameter(rest) if service.startswith("ssm") else self._secret(rest)
        if found is not None:
            return found
        return placeholder(
            "resolve",
            f"A template refers to {reference}, which no stack of this assembly creates: pass it "
            f'in `Templates.from_assembly(…, values={{"{reference}": …}})`.',
        )

    def _parameter(self, rest: str) -> Any:
        """Find the value of a parameter by `name` or `name:version`."""
        for resource in self.all("AWS::SSM::Parameter"):
            if resource.name in (rest, rest.rpartition(":")[0]):
                return resource.properties.get("Value")
        return self.values.get(rest)

    def _secret(self, rest: str) -> Any:
        """Find the value of a secret by `name-or-arn:SecretString:json-key:stage:version`."""
        identifier, _, more = rest.partition(":SecretString")
        key = more.strip(":").partition(":")[0]
        for resource in self.all("AWS::SecretsManager::Secret"):
            if identifier in (resource.name, resource.stack.names.arn(resource.id)):
                text = secret_string(resource)
                return json.loads(text)[key] if key else text
        return None

    def all(self, kind: str) -> Iterator[Resource]:
        """Yield every resource of a type."""
        for stack in self.stacks.values():
            for logical_id, body in stack.resources.items():
                if kind_of(body) == kind:
                    yield Resource(stack, logical_id, "")


def secret_string(secret: Resource) -> str:
    """Return the first value of a secret: its text, or one generated as the template sets."""
    if "SecretString" in secret.properties:
        return str(secret.properties["SecretString"])
    generate: Mapping[str, Any] = secret.properties.get("GenerateSecretString") or {}
    made = hashlib.sha512(secret.name.encode()).hexdigest() * 8
    password = made[: int(generate.get("PasswordLength", 32))]
    if "SecretStringTemplate" not in generate:
        return password
    template = json.loads(generate["SecretStringTemplate"])
    return json.dumps({**template, generate.get("GenerateStringKey", "password"): password})
