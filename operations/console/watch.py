"""Looks at a deployment."""

from datetime import UTC, datetime

from operations.console.board import Board
from operations.console.deployment import Deployment


class Watch:
    """One look after the other, each of which knows the one before."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def look(self) -> Board:
        """What there is, and how it does; raises OperationFailed."""
        return Board(datetime.now(UTC), (), (), ())
