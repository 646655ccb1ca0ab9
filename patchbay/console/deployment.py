"""The deployment that the console shows, and its clients."""

from dataclasses import dataclass

from starlette.requests import Request

from patchbay.console.additions import Additions
from patchbay.operations.clients import Clients
from patchbay.project.project import project


@dataclass(frozen=True)
class Deployment:
    """A stage, in the account or on the local cloud that the clients reach."""

    clients: Clients
    stage: str
    additions: Additions | None = None
    """The project's own part of the console; None where it is out of this process's reach."""

    @property
    def is_local(self) -> bool:
        """Whether it is a local cloud, where things may be broken on purpose."""
        return project().stage(self.stage).is_local


def deployment(request: Request) -> Deployment:
    """Return the deployment that the console shows."""
    shown: Deployment = request.app.state.deployment
    return shown
