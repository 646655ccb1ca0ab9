"""The journal service."""

from patchbay.constructs import Service


class Journal(Service):
    """Keeps a copy of every event for a while, by the journey that it belongs to."""

    def compose(self) -> None:
        self.journal()
