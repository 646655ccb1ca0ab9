"""The whole system, deployed to a local cloud of its own, with all that it depends on."""

import socket
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.settings import EVERY_EVENT, MAIL_FROM, STAGE
from patchbay.deploy.synthesis import synthesize
from patchbay.errors import UserError
from patchbay.local.cloud import LocalCloud
from patchbay.local.deploy import bootstrap, deploy, stacks_of
from patchbay.processes import ports
from patchbay.processes.process import Tethered
from patchbay.processes.waiting import wait_until
from patchbay.processes.workspace import tail
from patchbay.project.naming import bus_name

PROVIDER_PORT = 4567
SECONDS_TO_START = 20


class ProviderFailed(UserError):
    """The payment provider's stand-in did not come up."""


@dataclass(frozen=True, kw_only=True)
class System:
    """The system at work, and how long it took to get there."""

    cloud: LocalCloud
    provider_url: str
    assembly: Path
    """All stacks, those that were not deployed as well."""
    seconds_to_set_up: float
    seconds_to_deploy: float


@contextmanager
def system(without: Collection[str] = ()) -> Iterator[System]:
    """Start a cloud, deploy the app to it but for some stacks, and end both; raises UserError."""
    started = time.monotonic()
    _tell("Starting the local cloud …")
    with LocalCloud() as cloud, payment_provider(cloud) as provider_url:
        _tell(f"It answers at {cloud.endpoint}. Synthesizing the app …")
        context = {"payments.payment_provider": provider_url, "notifications.mail_from": MAIL_FROM}
        assembly = synthesize(STAGE, context)
        _tell("Bootstrapping the cloud for the CDK …")
        bootstrap(cloud)
        ready = time.monotonic()
        _tell("Deploying the app …")
        deploy(cloud, assembly, [each for each in stacks_of(assembly) if each not in without])
        _add_archive(cloud)
        deployed = time.monotonic()
        _tell(f"Deployed in {deployed - ready:.1f} s, after {ready - started:.1f} s of setting up.")
        yield System(
            cloud=cloud,
            provider_url=provider_url,
            assembly=assembly,
            seconds_to_set_up=ready - started,
            seconds_to_deploy=deployed - ready,
        )


def _add_archive(cloud: LocalCloud) -> None:
    """Give the bus the archive that stacks/broker.py has, and this CloudFormation does not know."""
    events = cloud.client("events")
    bus = events.describe_event_bus(Name=bus_name(STAGE))
    events.create_archive(
        ArchiveName=bus["Name"],
        EventSourceArn=bus["Arn"],
        EventPattern=EVERY_EVENT,
    )


@contextmanager
def payment_provider(cloud: LocalCloud) -> Iterator[str]:
    """Run the payment provider's stand-in, under the cloud's certificate; gives its address."""
    with ports.reserve(PROVIDER_PORT) as reserved:
        port: int = reserved.getsockname()[1]
    log = cloud.folder / "provider.log"
    log.unlink(missing_ok=True)
    files = [str(cloud.certificates.certificate), str(cloud.certificates.key)]
    command = [sys.executable, "-m", "demo.provider", str(port), *files]
    with Tethered(command, environ=cloud.environ, log=log) as server:
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


def _tell(what: str) -> None:
    print(what, flush=True)
