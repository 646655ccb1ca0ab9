"""The catalogue: every event that the modules of contracts/ define."""

import importlib
import pkgutil

from patchbay.did_you_mean import suggestion
from patchbay.errors import UserError
from patchbay.events.event import Event
from patchbay.project.root import ROOT

_CONTRACTS = ROOT / "contracts"


class UnknownEvent(UserError):
    """No contract has that name."""


def events() -> dict[str, type[Event]]:
    """Return every event by its detail-type, in the order of their modules and names.

    Raises ValueError where two modules define an event of the same name: consumers could not
    distinguish them by detail-type.
    """
    found: dict[str, type[Event]] = {}
    for module in pkgutil.iter_modules([str(_CONTRACTS)]):
        for event in _events_in(f"contracts.{module.name}"):
            other = found.setdefault(event.detail_type(), event)
            if other is not event:
                raise ValueError(
                    f"{event.__name__} is defined in both {other.__module__} and "
                    f"{event.__module__}; rename one: detail-types are unique on the bus."
                )
    return found


def event_named(name: str) -> type[Event]:
    """Return the event of that detail-type; raises UnknownEvent with the nearest match."""
    known = events()
    if name in known:
        return known[name]
    raise UnknownEvent(f"There is no event {name!r}. {suggestion(name, known, 'The events are')}")


def _events_in(module_name: str) -> list[type[Event]]:
    module = importlib.import_module(module_name)
    return [
        member
        for _, member in sorted(vars(module).items())
        if isinstance(member, type)
        and issubclass(member, Event)
        and member is not Event
        and member.__module__ == module_name
    ]
