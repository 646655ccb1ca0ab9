"""Ids in an event's data, by which people look for the event."""

from typing import Any

MAX_IDS = 10  # fields: more would not help a reader


def ids_in(data: Any) -> dict[str, str]:
    """Return the top-level fields of an event's data that are ids, such as `sensor_id`, by name."""
    if not isinstance(data, dict):
        return {}
    found = {
        name: value
        for name, value in data.items()
        if isinstance(value, str) and (name == "id" or name.endswith("_id"))
    }
    return dict(list(found.items())[:MAX_IDS])
