"""The record shop's surroundings on the local cloud: its payment provider, its mail, its customers.

`patchbay local` starts them: pyproject.toml names the class.
"""

import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

from demo import troubles
from demo.purchases import first_purchases
from demo.settings import MAIL_FROM
from demo.shop import Shop
from patchbay.console.additions import Action, Trouble
from patchbay.errors import UserError
from patchbay.local.cloud import LocalCloud
from patchbay.local.deployment import LocalDeployment
from patchbay.local.surroundings import Surroundings as ProjectsSurroundings
from patchbay.processes import ports
from patchbay.processes.process import ChildProcess
from patchbay.processes.waiting import wait_until
from patchbay.processes.workspace import tail

PROVIDER_PORT = 4567
SECONDS_TO_START = 20
PURCHASES = 10_000  # that the console can place as orders


class ProviderFailed(UserError):
    """The payment provider's stand-in did not start."""


class Surroundings(ProjectsSurroundings):
    """The payment provider's stand-in, the verified sender, and the troubles and actions."""

    provider_url: str
    """The address of the payment provider, once it is started."""

    @contextmanager
    def started(self) -> Iterator[Mapping[str, str]]:
        with payment_provider(self.cloud) as self.provider_url:
            yield {
                "payments.payment_provider": self.provider_url,
                "notifications.mail_from": MAIL_FROM,
            }

    def after_deploy(self) -> None:
        self.shop.verify_sender()

    def troubles(self) -> Sequence[Trouble]:
        return troubles.troubles(self.shop)

    def actions(self) -> Sequence[Action]:
        return troubles.actions(self.shop, troubles.Orders(self.shop, first_purchases(PURCHASES)))

    @cached_property
    def shop(self) -> Shop:
        """Return a client of the deployed shop."""
        return Shop(self.cloud, self.provider_url)


LocalShop = LocalDeployment[Surroundings]
"""The shop on a local cloud."""


@contextmanager
def payment_provider(cloud: LocalCloud) -> Iterator[str]:
    """Run the payment provider's stand-in, with the cloud's certificate; yield its address."""
    with ports.reserve(PROVIDER_PORT) as reserved:
        port: int = reserved.getsockname()[1]
    log = cloud.folder / "provider.log"
    log.unlink(missing_ok=True)
    files = [str(cloud.certificates.certificate), str(cloud.certificates.key)]
    command = [sys.executable, "-m", "demo.provider", str(port), *files]
    with ChildProcess(command, environ=cloud.environ, log=log) as server:
        wait_until(
            lambda: server.has_ended() or _listens(port),
            f"the payment provider to listen on port {port} (see {log})",
            SECONDS_TO_START,
        )
        if server.has_ended():
            raise ProviderFailed(f"The payment provider ended at once (see {log}):\n{tail(log)}")
        yield f"https://{ports.HOST}:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ports.HOST, port)) == 0
