"""Makes up an event, for a test to start from."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from scaffold.refused import Refused

# Tried in this order, after one that is made of the field's name.
_VALUES: tuple[Any, ...] = (
    9.99,
    1,
    "2026-01-01T00:00:00Z",
    "2026-01-01",
    "00000000-0000-4000-8000-000000000001",
    "customer@example.com",
    "https://example.com",
    "EUR",
    True,
    [],
    {},
)


def example(model: type[BaseModel]) -> dict[str, Any]:
    """Values for what the model requires; raises Refused where none comes to mind."""
    return {
        name: _value(model, name, field)
        for name, field in model.model_fields.items()
        if field.is_required()
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
    raise Refused(
        f"No example comes to mind for {model.__name__}.{name}, which the new test needs. Give the "
        f"field a default, or teach scaffold/examples.py a value for it."
    )


def _candidates(name: str, field: FieldInfo) -> Iterator[Any]:
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield example(kind)
    yield f"{name.removesuffix('_id').replace('_', '-')}-1"
    yield from (choice for choice in get_args(kind) if isinstance(choice, str))
    yield from _VALUES
