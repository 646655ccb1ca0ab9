"""Compatibility of events: compares each with its committed JSON Schema.

    patchbay schemas           check
    patchbay schemas --write   record the changes that break no consumer

A schema on file is a promise to consumers that are already deployed. Adding an optional field
keeps it; removing, renaming, retyping or newly requiring a field breaks it and needs a new
`version` in the event's class, which then gets a file of its own.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patchbay.events.catalogue import events
from patchbay.events.descriptions import describe
from patchbay.events.event import Event
from patchbay.project.root import ROOT

SCHEMAS = ROOT / "contracts" / "schemas"

Schema = Mapping[str, Any]

# Annotations do not change what is valid.
_ANNOTATIONS = {"title", "description", "examples", "default"}


def schema_of(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of the event's data on the bus."""
    schema = event.model_json_schema(mode="serialization")
    describe(schema, event)
    return schema


def schema_file(event: type[Event], folder: Path = SCHEMAS) -> Path:
    return folder / f"{event.source()}.{event.detail_type()}.v{event.version}.json"


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Return the changes in `new` that break a consumer or a publisher of `old`, in sentences."""
    before, after = _fields(old), _fields(new)
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    gone = [f"field {name!r} was removed or renamed" for name in before if name not in after]
    retyped = [
        f"field {name!r} was retyped from {_short(before[name])} to {_short(after[name])}"
        for name in before
        if name in after and before[name] != after[name]
    ]
    newly_required = [
        f"field {name!r} is newly required"
        for name in after
        if name in required_after and name not in required_before
    ]
    newly_optional = [
        f"field {name!r} is no longer required, and readers count on it"
        for name in before
        if name in after and name in required_before and name not in required_after
    ]
    return gone + retyped + newly_required + newly_optional


def problems(catalogue: Mapping[str, type[Event]], folder: Path = SCHEMAS) -> list[str]:
    """Return every difference between the contracts and the schemas on file, in sentences."""
    found = [problem for event in catalogue.values() for problem in _problems_of(event, folder)]
    promised = {path.name.split(".")[2] for path in folder.glob("*.json")}
    removed = sorted(promised - set(catalogue))
    return found + [f"{name} was removed, and consumers may still wait for it." for name in removed]


def write(catalogue: Mapping[str, type[Event]], folder: Path = SCHEMAS) -> list[Path]:
    """Write the schema of every event whose change breaks nothing; return the changed files."""
    written = []
    for event in catalogue.values():
        path, text = schema_file(event, folder), _text(schema_of(event))
        if path.exists() and (path.read_text() == text or _breaks(event, path)):
            continue
        path.write_text(text)
        written.append(path)
    return written


def _problems_of(event: type[Event], folder: Path) -> list[str]:
    name, path = event.detail_type(), schema_file(event, folder)
    if not path.exists():
        return [f"{name} version {event.version} has no schema on file: run `make schemas`."]
    if breaks := _breaks(event, path):
        return [
            f"{name}: {change}. That breaks its version {event.version}: undo it, or set "
            f"`version: ClassVar[int] = {event.version + 1}` in {event.__module__}.{name}."
            for change in breaks
        ]
    if path.read_text() != _text(schema_of(event)):
        return [f"{name} changed without breaking anyone: run `make schemas` to record it."]
    return []


def _breaks(event: type[Event], path: Path) -> list[str]:
    return breaking_changes(json.loads(path.read_text()), schema_of(event))


def _fields(schema: Schema) -> dict[str, Any]:
    definitions = schema.get("$defs", {})
    return {
        name: _resolved(field, definitions) for name, field in schema.get("properties", {}).items()
    }


def _resolved(part: Any, definitions: Schema) -> Any:
    if isinstance(part, list):
        return [_resolved(item, definitions) for item in part]
    if not isinstance(part, Mapping):
        return part
    if "$ref" in part:
        return _resolved(definitions[part["$ref"].rpartition("/")[2]], definitions)
    # Below "properties", the keys are fields' names, and a field may be called "title".
    return {
        key: {name: _resolved(field, definitions) for name, field in value.items()}
        if key == "properties"
        else _resolved(value, definitions)
        for key, value in part.items()
        if key not in _ANNOTATIONS
    }


def _short(field: Any) -> str:
    return json.dumps(field, sort_keys=True)


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def main(*, record: bool = False) -> int:
    """Print every problem to stderr; return 1 if there is one, else 0."""
    catalogue = events()
    if record:
        for path in write(catalogue):
            print(f"wrote {path.relative_to(SCHEMAS.parent.parent)}")
    found = problems(catalogue)
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0
