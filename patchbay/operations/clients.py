"""How operations reach AWS: with the credentials, region and endpoint of the environment."""

from functools import cache
from threading import Lock
from typing import Any, Protocol

from patchbay.errors import UserError

NO_CREDENTIALS = (
    "No AWS credentials: sign in with `aws sso login`, or set AWS_PROFILE; for the local cloud, "
    "use the lines that `make local` prints."
)


class Clients(Protocol):
    """Gives boto3 clients for one account and region, or for the local cloud."""

    def client(self, service: str, /) -> Any:
        """Return the client of a service, such as "sqs"."""


class CachedClients:
    """Others' clients, each of which is made once: that takes longer than most requests."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._made: dict[str, Any] = {}
        self._making = Lock()  # several threads may ask at once

    def client(self, service: str, /) -> Any:
        """Return the client of a service."""
        with self._making:
            if service not in self._made:
                self._made[service] = self._clients.client(service)
            return self._made[service]


class Environment:
    """The clients of whatever the environment's own variables name."""

    @cache  # noqa: B019 - there is one for a run
    def client(self, service: str, /) -> Any:
        """Return the client of a service; raises UserError where there are no credentials."""
        import boto3  # takes longer than all else that a command loads

        session = boto3.Session()
        if session.get_credentials() is None:
            raise UserError(NO_CREDENTIALS)
        if session.region_name is None:
            raise UserError("No AWS region: set AWS_REGION, or AWS_PROFILE.")
        client: Any = session.client(service)  # type: ignore[call-overload]
        return client
