"""The ids that an event itself carries, by which people look for it."""

from typing import Any

MOST = 10  # fields: more are no help to anybody


def ids_in(data: Any) -> dict[str, str]:
    """Return the top-level fields of an event's data that are ids, such as `sensor_id`, by name."""
    if not isinstance(data, dict):
        return {}
    found = {
        name: value
        for name, value in data.items()
        if isinstance(value, str) and (name == "id" or name.endswith("_id"))
    }
    return dict(list(found.items())[:MOST])
