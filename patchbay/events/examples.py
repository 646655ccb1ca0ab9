"""Example values for an event, for documentation and for generated tests."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from patchbay.errors import UserError

# Tried in this order, after a value that is derived from the field's name.
_VALUES: tuple[Any, ...] = (
    9.99,
    1,
    "2026-01-01T00:00:00Z",
    "2026-01-01",
    "00000000-0000-4000-8000-000000000001",
    "someone@example.com",
    "https://example.com",
    "EUR",
    True,
    [],
    {},
)


class NoExample(UserError):
    """None of the example values is valid for a field."""


def example(model: type[BaseModel], *, complete: bool = False) -> dict[str, Any]:
    """Return values for the required fields, or for all; they are the same in every run.

    A field with `Field(examples=[…])` gets the first of those. Raises NoExample.
    """
    return {
        name: _value(model, name, field)
        for name, field in model.model_fields.items()
        if complete or field.is_required()
    }


def _value(model: type[BaseModel], name: str, field: FieldInfo) -> Any:
    kind: Any = Annotated[field.annotation, field]
    adapter = TypeAdapter[Any](kind)
    for value in _candidates(name, field):
        try:
            adapter.validate_python(value)
        except ValidationError:
            continue
        return value
    raise NoExample(
        f"No example value is valid for the field {name} of {model.__name__}. Give the field one: "
        "`Field(examples=[…])`."
    )


def _candidates(name: str, field: FieldInfo) -> Iterator[Any]:
    yield from field.examples or ()
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield example(kind)
    yield f"{name.removesuffix('_id').replace('_', '-')}-1"
    yield from (choice for choice in get_args(kind) if isinstance(choice, str))
    yield from _VALUES
