"""The cause of published events: it determines their journey and their ids."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from patchbay.events.event import Event, Metadata


@dataclass(frozen=True)
class Cause:
    """The cause for which a function publishes.

    The ids of published events derive from `seed` alone. A retry publishes the same ids again, and
    every consumer downstream recognizes them.
    """

    seed: str
    correlation_id: str
    causation_id: UUID | None = None
    handled: Metadata | None = None
    """The metadata of the event that is being handled, if there is one."""
    _published: Counter[str] = field(default_factory=Counter)

    def metadata_for(self, event: Event) -> Metadata:
        """Return the metadata of the next event of that type."""
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
    """Give everything that is published within this context that cause."""
    token = _current.set(cause)
    try:
        yield
    finally:
        _current.reset(token)


def current_cause() -> Cause:
    """Return the current cause; outside of any, one that begins a new journey."""
    return _current.get() or Cause(seed=str(uuid4()), correlation_id=str(uuid4()))
