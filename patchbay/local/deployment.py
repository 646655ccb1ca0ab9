"""The whole app, deployed to a local cloud of its own, with the project's own surroundings."""

import json
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from patchbay.deploy.synthesis import synthesize
from patchbay.local.access import STAGE
from patchbay.local.cloud import LocalCloud
from patchbay.local.deploy import bootstrap, deploy, stacks_of
from patchbay.local.surroundings import Surroundings
from patchbay.project.naming import bus_name
from patchbay.project.project import project

OwnSurroundings = TypeVar("OwnSurroundings", bound=Surroundings, covariant=True)


@dataclass(frozen=True, kw_only=True)
class LocalDeployment(Generic[OwnSurroundings]):
    """The running app, and the seconds that its deployment took."""

    cloud: LocalCloud
    surroundings: OwnSurroundings
    assembly: Path
    """The cloud assembly with all stacks, including those that were not deployed."""
    seconds_to_set_up: float
    seconds_to_deploy: float


@contextmanager
def deploy_locally(
    surroundings_of: type[OwnSurroundings], without: Collection[str] = ()
) -> Iterator[LocalDeployment[OwnSurroundings]]:
    """Start a local cloud, deploy the app without some stacks to it, and stop it at the end.

    Raises UserError.
    """
    started = time.monotonic()
    _print("Starting the local cloud …")
    with LocalCloud() as cloud:
        surroundings = surroundings_of(cloud)
        with surroundings.started() as settings:
            _print(f"It answers at {cloud.endpoint}. Preparing it, and synthesizing the app …")
            with ThreadPoolExecutor(1) as executor:
                bootstrapped = executor.submit(bootstrap, cloud)  # it does not need the app
                assembly = synthesize(STAGE, settings)
                bootstrapped.result()
            ready = time.monotonic()
            _print("Deploying the app …")
            deploy(cloud, assembly, [each for each in stacks_of(assembly) if each not in without])
            _add_archive(cloud)
            surroundings.after_deploy()
            deployed = time.monotonic()
            set_up = f"{ready - started:.1f} s of setting up"
            _print(f"Deployed in {deployed - ready:.1f} s, after {set_up}.")
            yield LocalDeployment(
                cloud=cloud,
                surroundings=surroundings,
                assembly=assembly,
                seconds_to_set_up=ready - started,
                seconds_to_deploy=deployed - ready,
            )


def every_event() -> str:
    """Return the event pattern that every event of the project matches."""
    return json.dumps({"source": [{"prefix": f"{project().namespace}."}]})


def _add_archive(cloud: LocalCloud) -> None:
    """Create the bus's archive, which the local cloud's CloudFormation does not support."""
    events = cloud.client("events")
    bus = events.describe_event_bus(Name=bus_name(STAGE))
    events.create_archive(
        ArchiveName=bus["Name"],
        EventSourceArn=bus["Arn"],
        EventPattern=every_event(),
    )


def _print(message: str) -> None:
    print(message, flush=True)
