"""Where in its journey an event is published: what caused it, and what its id will be."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from patchbay.events.event import Event, Metadata


@dataclass(frozen=True)
class Cause:
    """What makes a function publish.

    Published events' ids derive from `seed` alone, so whoever publishes again for the same cause
    publishes the same ids again, and every consumer downstream can tell that it has seen them.
    """

    seed: str
    correlation_id: str
    causation_id: UUID | None = None
    handled: Metadata | None = None
    """The envelope of the event that is being handled, where one is."""
    _published: Counter[str] = field(default_factory=Counter)

    def metadata_for(self, event: Event) -> Metadata:
        """The envelope of the next event of that type."""
        detail_type = event.detail_type()
        position = self._published[detail_type]
        self._published[detail_type] += 1
        return Metadata.now(
            id=uuid5(NAMESPACE_URL, f"{self.seed}/{detail_type}/{position}"),
            version=event.version,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
        )


_current: ContextVar[Cause | None] = ContextVar("cause", default=None)


@contextmanager
def caused_by(cause: Cause) -> Iterator[None]:
    """Within it, everything that is published belongs to the cause."""
    token = _current.set(cause)
    try:
        yield
    finally:
        _current.reset(token)


def current_cause() -> Cause:
    """The cause at hand; outside of any, a new journey that starts here."""
    return _current.get() or Cause(seed=str(uuid4()), correlation_id=str(uuid4()))
