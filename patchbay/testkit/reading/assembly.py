"""The reader of a cloud assembly from `cdk synth`, with its CDK stages and nested stacks."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from patchbay.errors import UserError
from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION

Body = Mapping[str, Any]

_ENVIRONMENT = re.compile(r"aws://([^/]+)/(.+)")
_OBJECT_KEY = re.compile(r"[0-9a-f]{64}\.json")


class NoAssembly(UserError):
    """There is no assembly, or it does not have the requested stage or stacks."""


@dataclass
class Assembly:
    """The templates, assets and construct paths of a cloud assembly."""

    bodies: dict[str, Body] = field(default_factory=dict)
    """The templates by stack name; a nested stack's name is its parent's, "/" and its id."""
    assets: dict[str, Path] = field(default_factory=dict)
    """The files and folders of assets, by their keys in the bucket."""
    paths: dict[tuple[str, str], str] = field(default_factory=dict)
    """The construct path of each resource, by its stack and its logical id."""


def read(folder: Path, stage: str | None = None, stacks: Iterable[str] = ()) -> Assembly:
    """Read an assembly, or one CDK stage of it, or some stacks. Raise NoAssembly."""
    if not folder.joinpath("manifest.json").is_file():
        raise NoAssembly(
            f"There is no cloud assembly in {folder}: run `cdk synth` (or `patchbay synth`) first, "
            "or name its output folder."
        )
    assembly = Assembly()
    wanted = set(stacks)
    stages = _stages(folder)
    chosen = [stages[stage]] if stage in stages else [folder, *stages.values()]
    for each in chosen:
        _read_into(assembly, each, wanted)
    # A CDK stage's assets are in the folder of its app.
    for manifest in folder.rglob("*.assets.json"):
        _assets_into(assembly, manifest)
    for name, body in list(assembly.bodies.items()):
        _nested_into(assembly, name, body)
    if not assembly.bodies:
        what = f"no stack of {sorted(wanted)}" if wanted else "no stack"
        raise NoAssembly(f"The assembly in {folder} has {what}.")
    return assembly


def _stages(folder: Path) -> dict[str, Path]:
    """Return the folders of all CDK stages, at any depth, by their names."""
    found: dict[str, Path] = {}
    for artifact in _artifacts(folder).values():
        if artifact["type"] == "cdk:cloud-assembly":
            properties = artifact["properties"]
            inner = folder / properties["directoryName"]
            found[properties.get("displayName") or inner.name] = inner
            found |= _stages(inner)
    return found


def _read_into(assembly: Assembly, folder: Path, wanted: set[str]) -> None:
    for name, artifact in sorted(_artifacts(folder).items()):
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        stack = artifact["properties"].get("stackName", name)
        if wanted and not wanted & {stack, name, artifact.get("displayName")}:
            continue
        text = folder.joinpath(artifact["properties"]["templateFile"]).read_text()
        assembly.bodies[stack] = json.loads(_relocated(text, artifact["environment"]))
        for path, logical_id in _logical_ids(folder, artifact):
            assembly.paths[stack, logical_id] = path


def _relocated(text: str, environment: str) -> str:
    """Return a template for the kit's account and region instead of its own."""
    found = _ENVIRONMENT.fullmatch(environment)
    account, region = found.groups() if found else ("", "")
    if account.isdecimal():
        text = text.replace(account, ACCOUNT)
    if region and not region.startswith("unknown"):
        text = text.replace(region, REGION)
    return text


def _logical_ids(folder: Path, artifact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    metadata = dict(artifact.get("metadata", {}))
    if more := artifact.get("additionalMetadataFile"):
        metadata |= json.loads(folder.joinpath(more).read_text())
    for path, entries in metadata.items():
        for entry in entries:
            if entry["type"] == "aws:cdk:logicalId":
                yield path.strip("/"), entry["data"]


def _assets_into(assembly: Assembly, manifest: Path) -> None:
    for asset in json.loads(manifest.read_text()).get("files", {}).values():
        path = manifest.parent / asset["source"].get("path", "")
        for destination in asset["destinations"].values():
            assembly.assets[destination["objectKey"]] = path


def _nested_into(assembly: Assembly, stack: str, body: Body) -> None:
    for logical_id, resource in body.get("Resources", {}).items():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            url = json.dumps(resource.get("Properties", {}).get("TemplateURL", ""))
            keys = _OBJECT_KEY.findall(url)
            if keys and keys[-1] in assembly.assets:
                name = f"{stack}/{logical_id}"
                assembly.bodies[name] = json.loads(assembly.assets[keys[-1]].read_text())
                _nested_into(assembly, name, assembly.bodies[name])


def _artifacts(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = json.loads(
        folder.joinpath("manifest.json").read_text()
    ).get("artifacts", {})
    return found
