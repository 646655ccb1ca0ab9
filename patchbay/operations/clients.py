"""Clients of AWS, with the credentials, region and endpoint of the environment."""

from functools import cache
from threading import Lock
from typing import Any, Protocol

from patchbay.errors import UserError

NO_CREDENTIALS = (
    "No AWS credentials: sign in with `aws sso login`, or set AWS_PROFILE; for the local cloud, "
    "use the lines that `make local` prints."
)


class Clients(Protocol):
    """The boto3 clients of one account and region, or of the local cloud."""

    def client(self, service: str, /) -> Any:
        """Return the client of a service, such as "sqs"."""


class CachedClients:
    """A cache of clients: creating one takes longer than most requests."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._cached: dict[str, Any] = {}
        self._lock = Lock()  # several threads may create clients

    def client(self, service: str, /) -> Any:
        """Return the client of a service."""
        with self._lock:
            if service not in self._cached:
                self._cached[service] = self._clients.client(service)
            return self._cached[service]


class Environment:
    """The clients for the account, region and endpoint in the environment's variables."""

    @cache  # noqa: B019 - a run has one instance
    def client(self, service: str, /) -> Any:
        """Return the client of a service; raises UserError if there are no credentials."""
        import boto3  # takes longer than all other imports of a command

        session = boto3.Session()
        if session.get_credentials() is None:
            raise UserError(NO_CREDENTIALS)
        if session.region_name is None:
            raise UserError("No AWS region: set AWS_REGION, or AWS_PROFILE.")
        client: Any = session.client(service)  # type: ignore[call-overload]
        return client
