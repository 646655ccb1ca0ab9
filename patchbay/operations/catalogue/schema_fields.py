"""Fields of an event in words, from its JSON Schema."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

# The keywords that limit a value, in words.
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "in steps of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "like {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}


@dataclass(frozen=True)
class Field:
    """A field of an event."""

    name: str
    type: str
    """Such as `string`, or `integer or null`."""

    required: bool
    limits: str
    """The limits of its value, in words."""

    description: str


def fields_of(schema: Schema) -> tuple[Field, ...]:
    """Return the fields of a schema."""
    definitions, required = schema.get("$defs", {}), schema.get("required", ())
    return tuple(
        Field(
            name=name,
            type=_type(field, definitions),
            required=name in required,
            limits=", ".join(dict.fromkeys(_limits(field, definitions))),
            description=field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    )


def _type(field: Schema, definitions: Schema) -> str:
    match field:
        case {"$ref": str(reference)}:
            return _type(_resolved(reference, definitions), definitions)
        case {"anyOf": choices} | {"oneOf": choices}:
            return " or ".join(dict.fromkeys(_type(choice, definitions) for choice in choices))
        case {"type": "array", "items": dict(items)}:
            return f"array of {_type(items, definitions)}"
        case {"format": str(form)}:
            return form
        case {"type": str(kind)}:
            return kind
        case {"enum": _} | {"const": _}:
            return "string"
    return "anything"


def _limits(field: Schema, definitions: Schema) -> Iterator[str]:
    if "$ref" in field:
        yield from _limits(_resolved(field["$ref"], definitions), definitions)
    for choice in [*field.get("anyOf", ()), *field.get("oneOf", ())]:
        yield from _limits(choice, definitions)
    if isinstance(field.get("items"), Mapping):
        yield from (f"each {limit}" for limit in _limits(field["items"], definitions))
    for keyword, words in _LIMITS.items():
        if keyword in field:
            yield words.format(field[keyword])
    if values := field.get("enum", [field["const"]] if "const" in field else []):
        yield " or ".join(json.dumps(value) for value in values)


def _resolved(reference: str, definitions: Schema) -> Schema:
    found: Schema = definitions[reference.rpartition("/")[2]]
    return found
