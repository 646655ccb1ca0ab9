"""The journal service."""

from patchbay.constructs import Service


class Journal(Service):
    """Keeps a copy of every event for 90 days, by journey."""

    def compose(self) -> None:
        self.journal()
