"""The synthesized templates of an app, with their references resolved, and their code."""

import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from patchbay.project.naming import named
from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Statement, allows_role
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.reading.arns import arn_of
from patchbay.testkit.reading.assembly import read
from patchbay.testkit.reading.intrinsics import REGION
from patchbay.testkit.reading.managed_policies import statements as managed_statements
from patchbay.testkit.reading.managed_policies import unreadable
from patchbay.testkit.reading.stack import App, Resource
from patchbay.testkit.reading.unknown import Kind, reasons
from patchbay.topology.template import listed

__all__ = ["Resource", "Templates"]

ASYNC_INVOKE = "AWS::Lambda::EventInvokeConfig"


class Templates:
    """The templates and assets of one deployment of an app. Running it does not change them."""

    def __init__(
        self,
        bodies: Mapping[str, Mapping[str, Any]],
        assets: Path | Mapping[str, Path],
        *,
        stage: str | None = None,
        prefix: str | None = None,
        values: Mapping[str, Any] | None = None,
        paths: Mapping[tuple[str, str], str] | None = None,
        buses: Iterable[str] = (),
    ) -> None:
        """Create them from template bodies by stack name, and their assets' folder or files.

        `prefix` is left out of names in tests: by default that of the project's `stage`. `values`
        are values from outside the templates: parameters, exports of other apps' stacks, SSM
        parameters, dynamic references. `paths` are constructs' paths, `buses` the existing buses
        of other teams.
        """
        self.bodies = bodies
        self.prefix = named(stage, "") if prefix is None and stage else prefix or ""
        self._assets = assets
        self._values = values or {}
        self._paths = paths or {}
        self._others_buses = tuple(buses)
        self._app = App(bodies, self._values)
        self.resources = list(self._resources())

    @classmethod
    def from_assembly(
        cls,
        folder: str | Path,
        *,
        stage: str | None = None,
        prefix: str | None = None,
        stacks: Iterable[str] = (),
        values: Mapping[str, Any] | None = None,
        buses: Iterable[str] = (),
    ) -> "Templates":
        """Read the output of `cdk synth` from a folder, such as `cdk.out`.

        It works with any app whose functions are Python. `stage` is the name of one CDK Stage of
        the app, or of the Patchbay stage that it was synthesized for; `stacks` are the ones to
        deploy, by default all. Tests name a function by its physical name without `prefix` (by
        default, the name of the only event bus, if all named functions begin with it), or by its
        construct's id, or by its path if several have that id. Its logical id and its physical
        name work as well. Raise NoAssembly.
        """
        assembly = read(Path(folder), stage, stacks)
        made = cls(
            assembly.bodies,
            assembly.assets,
            prefix=prefix,
            values=values,
            paths=assembly.paths,
            buses=buses,
        )
        if prefix is None:
            made.prefix = made._guessed_prefix()
        return made

    def with_bodies(self, bodies: Mapping[str, Mapping[str, Any]]) -> "Templates":
        """Return the same code with other templates."""
        return self._changed(bodies, self._assets)

    def with_code(
        self, function: str, file: str, changes: Mapping[str, str], folder: Path
    ) -> "Templates":
        """Return the same templates, with texts in one function's file replaced.

        Each text must occur once. `folder` is an empty folder for the changed code.
        """
        changed = self.function_called(function)
        key = self._resource_of(changed).properties["Code"]["S3Key"]
        copy = folder / changed.asset.name
        shutil.copytree(changed.asset, copy)
        path = copy / file
        text = path.read_text()
        for old, new in changes.items():
            if text.count(old) != 1:
                raise ValueError(f"{file} of {function} has {old!r} {text.count(old)} times.")
            text = text.replace(old, new)
        path.write_text(text)
        return self._changed(self.bodies, {**self._asset_files, key: copy})

    def all(self, kind: str) -> list[Resource]:
        """Return its resources of a type such as AWS::SQS::Queue."""
        return self._by_kind.get(kind, [])

    # Names

    def short(self, name: str) -> str:
        """Return a resource's name in tests from its physical name."""
        return self._short_names.get(name) or name.removeprefix(self.prefix)

    def physical(self, kind: str, called: str) -> str:
        """Return the physical name of a resource by any of its names in tests."""
        for resource in self.all(kind):
            if called in self.names_of(resource):
                return resource.name
        return self.prefix + called

    def physical_or(self, kind: str, called: str) -> str:
        """Return the physical name, or the given name if the templates have no such resource."""
        for resource in self.all(kind):
            if called in self.names_of(resource):
                return resource.name
        return called

    def names_of(self, resource: Resource) -> set[str]:
        """Return all names of a resource in tests."""
        return {self.short(resource.name), resource.name, resource.id, _construct(resource.path)}

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Every function by its ARN."""
        made = [self._function(resource) for resource in self.all("AWS::Lambda::Function")]
        return {function.arn: function for function in made}

    def function(self, name_or_arn: str) -> Function:
        """Return a function by its name or ARN, qualified or not. Raise NotDeployable."""
        _, is_arn, rest = name_or_arn.partition(":function:")
        name = (rest if is_arn else name_or_arn).partition(":")[0]
        arn = arn_of("AWS::Lambda::Function", name)
        if arn not in self.functions:
            raise NotDeployable(f"There is no function {name}.")
        return self.functions[arn]

    def has_function(self, name_or_arn: str) -> bool:
        """Return whether there is a function of that name or ARN, qualified or not."""
        try:
            self.function(name_or_arn)
        except NotDeployable:
            return False
        return True

    def function_called(self, called: str) -> Function:
        """Return a function by any of its names in tests. Raise LookupError."""
        for resource in self.all("AWS::Lambda::Function"):
            if called in self.names_of(resource):
                return self.functions[arn_of("AWS::Lambda::Function", resource.name)]
        names = sorted(each.short_name for each in self.functions.values())
        raise LookupError(f"There is no function {called!r}: there are {names}.")

    @cached_property
    def buses(self) -> dict[str, set[str]]:
        """The names of each custom bus in tests, by its physical name.

        An app without its own bus uses another team's, which is assumed to exist.
        """
        found = {each.name: self.names_of(each) for each in self.all("AWS::Events::EventBus")}
        found |= {name: {name} for name in self._others_buses}
        if not found:
            for rule in self.all("AWS::Events::Rule"):
                name = str(rule.properties.get("EventBusName", "default")).rpartition("/")[2]
                if name != "default" and not any(reasons(name)):
                    found[name] = {name}
        return found

    def bus(self, called: str | None) -> str:
        """Return the physical name of a bus, by default the app's own. Raise LookupError."""
        buses = self.buses
        if called == "default" or (called is None and not buses):
            return "default"
        if called is None:
            own = self.prefix.rstrip("-")
            if own in buses or len(buses) == 1:
                return own if own in buses else next(iter(buses))
            raise LookupError(
                f"The app has the buses {sorted(buses)}: pass one of them, or `default`, as `bus=`."
            )
        for name, names in buses.items():
            if called in names or called == arn_of("AWS::Events::EventBus", name):
                return name
        raise LookupError(f"There is no bus {called!r}: there are {sorted([*buses, 'default'])}.")

    # Policies

    def policies_of(self, kind: str, list_property: str, reference: str) -> list[Statement]:
        """Return the statements of all policies of that type that are attached to a resource."""
        return [
            statement
            for policy in self.all(kind)
            if reference in listed(policy.properties.get(list_property, []))
            for statement in listed(policy.properties["PolicyDocument"]["Statement"])
        ]

    def role(self, arn: str) -> tuple[Resource, list[Statement]]:
        """Return a role, and the statements of its policies."""
        for role in self.all("AWS::IAM::Role"):
            if arn_of(role.kind, role.name) == arn:
                return role, list(self._statements_of(role))
        raise NotDeployable(f"The role {arn} is in no template.")

    def statements(self, resource: Resource, arn: str, service: str) -> list[Statement]:
        """Return the statements of a resource's role. Raise NotDeployable."""
        if not any(arn_of(role.kind, role.name) == arn for role in self.all("AWS::IAM::Role")):
            return [unreadable(f"the role {arn} of {resource}, which is in no template")]
        role, statements = self.role(arn)
        if not allows_role(role.properties["AssumeRolePolicyDocument"], service):
            raise NotDeployable(f"{service} may not assume the role of {resource}.")
        return statements

    def _statements_of(self, role: Resource) -> Iterator[Statement]:
        for policy in role.properties.get("Policies", []):
            yield from listed(policy["PolicyDocument"]["Statement"])
        yield from self.policies_of("AWS::IAM::Policy", "Roles", role.name)
        yield from self.policies_of("AWS::IAM::RolePolicy", "RoleName", role.name)
        yield from self.policies_of("AWS::IAM::ManagedPolicy", "Roles", role.name)
        own = {each.stack.names.arn(each.id): each for each in self.all("AWS::IAM::ManagedPolicy")}
        for arn in role.properties.get("ManagedPolicyArns", []):
            if arn in own:
                yield from listed(own[arn].properties["PolicyDocument"]["Statement"])
            else:
                yield from managed_statements(arn)

    # Functions

    def _function(self, resource: Resource) -> Function:
        properties = resource.properties
        reserved = properties.get("ReservedConcurrentExecutions")
        code, problem = self._code(resource)
        return Function(
            name=resource.name,
            short_name=self.short(resource.name),
            stack=resource.stack.name,
            asset=code,
            layers=tuple(self._layers(resource)),
            handler=properties.get("Handler", ""),
            environment=_environment(resource),
            timeout=float(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            reserved_concurrency=None if reserved is None else int(reserved),
            statements=tuple(self.statements(resource, properties["Role"], "lambda.amazonaws.com")),
            problem=problem,
            dead_letter_target=properties.get("DeadLetterConfig", {}).get("TargetArn"),
        )

    def _code(self, function: Resource) -> tuple[Path, str | None]:
        """Return the folder of a function's code, and the reason if the kit can't run it."""
        properties, nowhere = function.properties, Path()
        image = "ImageUri" in properties.get("Code", {})
        runtime = "a container image" if image else str(properties.get("Runtime", "python"))
        if not runtime.startswith("python"):
            why = f"it runs on {runtime}, and the test kit runs Python only"
            return nowhere, f"{function}: {why}. Replace its caller in this test."
        variables = properties.get("Environment", {}).get("Variables", {})
        for name, value in variables.items():
            for reason in reasons(value, Kind.VALUE):
                return (
                    nowhere,
                    f"{function} has the variable {name}, whose value is unknown: {reason}",
                )
        code = properties.get("Code", {})
        if "ZipFile" in code:
            return _inline(str(code["ZipFile"])), None
        key = code.get("S3Key", "")
        found = self._asset(key)
        if found is None or not found.exists():
            return (
                nowhere,
                f"The code of {function} is no folder or zip file in the assembly: {key!r}.",
            )
        return _unpacked(found), None

    def _layers(self, function: Resource) -> Iterator[Path]:
        """Yield the folders of a function's layers from which Python imports."""
        layers = {
            layer.stack.names.arn(layer.id): layer
            for layer in self.all("AWS::Lambda::LayerVersion")
        }
        for arn in function.properties.get("Layers", []):
            found = (
                self._asset(layers[arn].properties["Content"]["S3Key"]) if arn in layers else None
            )
            if found and found.exists():
                yield _unpacked(found) / "python"

    def _asset(self, key: str) -> Path | None:
        if key in self._asset_files:
            return self._asset_files[key]
        return self._asset_files.get(key.partition(".")[0])

    @cached_property
    def _asset_files(self) -> Mapping[str, Path]:
        """Every asset by its key, which is in a file's name between its first two dots."""
        if isinstance(self._assets, Mapping):
            return self._assets
        return {path.name.split(".")[1]: path for path in sorted(self._assets.glob("asset.*"))}

    def _resource_of(self, function: Function) -> Resource:
        return next(r for r in self.all("AWS::Lambda::Function") if r.name == function.name)

    # Reading

    def _changed(
        self, bodies: Mapping[str, Mapping[str, Any]], assets: Path | Mapping[str, Path]
    ) -> "Templates":
        return Templates(
            bodies,
            assets,
            prefix=self.prefix,
            values=self._values,
            paths=self._paths,
            buses=self._others_buses,
        )

    def _resources(self) -> Iterator[Resource]:
        for stack in self._app.stacks.values():
            for logical_id, body in stack.resources.items():
                # The construct paths of a nested stack are in the metadata of its outermost stack.
                outermost = stack.name.partition("/")[0]
                path = self._paths.get((outermost, logical_id))
                path = path or body.get("Metadata", {}).get("aws:cdk:path") or ""
                yield Resource(stack, logical_id, path)

    @cached_property
    def _by_kind(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.kind, []).append(resource)
        return found

    @cached_property
    def _short_names(self) -> dict[str, str]:
        """The names in tests of the resources whose names CloudFormation generates."""
        made_up = [
            (resource, _construct(resource.path).rpartition("/")[2] or resource.id)
            for resources in self._by_kind.values()
            for resource in resources
            if not resource.has_own_name
        ]
        times = Counter((resource.kind, short) for resource, short in made_up)
        return {
            resource.name: short
            if times[resource.kind, short] == 1
            else _construct(resource.path) or resource.name
            for resource, short in made_up
        }

    def _guessed_prefix(self) -> str:
        """Return the bus's name and a hyphen, if all named functions begin with it."""
        names = [each.name for each in self.all("AWS::Lambda::Function") if each.has_own_name]
        buses = [each.name for each in self.all("AWS::Events::EventBus")]
        for bus in buses:
            if names and all(name.startswith(f"{bus}-") for name in names):
                return f"{bus}-"
        return ""


def _construct(path: str) -> str:
    """Return the path of the app's own construct, without CDK's inner one."""
    return path.removesuffix("/Resource").removesuffix("/Default")


def _environment(function: Resource) -> dict[str, str]:
    variables: Mapping[str, Any] = function.properties.get("Environment", {}).get("Variables", {})
    return {
        **{name: _as_text(value) for name, value in variables.items()},
        # The variables that Lambda sets. The keys are no secret: moto accepts any.
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.properties.get("MemorySize", 128)),
        "LAMBDA_TASK_ROOT": "/var/task",
        "_HANDLER": function.properties.get("Handler", ""),
    }


def _as_text(value: Any) -> str:
    """Return a variable's value as CloudFormation writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_temporary: list[tempfile.TemporaryDirectory[str]] = []


def _folder() -> Path:
    """Create a folder that is removed when the process ends."""
    made = tempfile.TemporaryDirectory(prefix="patchbay-kit-")
    _temporary.append(made)
    return Path(made.name)


@cache
def _inline(text: str) -> Path:
    """Write a template's inline code to index.py, as Lambda does, and return the folder."""
    folder = _folder()
    folder.joinpath("index.py").write_text(text)
    return folder


@cache
def _unpacked(asset: Path) -> Path:
    """Return the folder of an asset, unpacked if it is a zip file."""
    if asset.is_dir():
        return asset
    if not zipfile.is_zipfile(asset):
        raise NotInTheKit(f"The asset {asset} is neither a folder nor a zip file.")
    folder = _folder()
    with zipfile.ZipFile(asset) as archive:
        archive.extractall(folder)
    return folder
