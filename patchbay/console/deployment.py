"""The deployment that the console shows."""

from dataclasses import dataclass

from starlette.requests import Request

from patchbay.console.additions import Additions
from patchbay.operations.clients import Clients
from patchbay.project.project import project


@dataclass(frozen=True)
class Deployment:
    """A stage in an AWS account or on the local cloud, with clients that reach it."""

    clients: Clients
    stage: str
    additions: Additions | None = None
    """The project's additions to the console; None where this process can't reach them."""

    @property
    def is_local(self) -> bool:
        """Return whether it is on a local cloud, where things may be broken on purpose."""
        return project().stage(self.stage).is_local


def deployment(request: Request) -> Deployment:
    """Return the deployment that the console shows."""
    shown: Deployment = request.app.state.deployment
    return shown
