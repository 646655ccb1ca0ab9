"""Events: their base class, their envelope and their metadata."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patchbay.events.event import AnyEvent as AnyEvent
    from patchbay.events.event import Envelope as Envelope
    from patchbay.events.event import Event as Event
    from patchbay.events.event import Metadata as Metadata

__all__ = ["AnyEvent", "Envelope", "Event", "Metadata"]


def __getattr__(name: str) -> Any:
    """Load a name from its module on first use, so that functions start faster."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from patchbay.events import event

    return getattr(event, name)
