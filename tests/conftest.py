"""Fixtures of the shop's tests, in addition to those of Patchbay's pytest plugin.

`cloud` is the whole deployed system, with methods for the shop: see docs/testing.md.
`running` is the same on the embedded cloud, for the tests that are marked `embedded`.
"""

import os
from collections.abc import Iterator

import pytest

from demo.purchases import Purchase, first_purchases
from demo.shop import Shop as DeployedShop
from demo.surroundings import LocalShop, Surroundings
from patchbay.local.deployment import deploy_locally
from tests.shop import Shop

PURCHASES = 100  # for all tests of the embedded cloud together
STAGE = "dev"  # what goes to AWS, and with a sandbox for the payment provider


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the embedded cloud first: the first of the workers takes them all.

    They mostly wait. The other workers take what else that worker was given.
    """
    items.sort(key=lambda item: item.get_closest_marker("embedded") is None)


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores, because the first one mostly waits."""
    if hasattr(os, "sched_getaffinity"):  # on Linux: those that this process may use
        return len(os.sched_getaffinity(0)) + 1
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def cloud_class() -> type[Shop]:
    """Return the class of the fixture `cloud`, with methods for the shop."""
    return Shop


@pytest.fixture(scope="session")
def running() -> Iterator[LocalShop]:
    """Yield the system on the embedded cloud, deployed with the real CDK CLI."""
    with deploy_locally(Surroundings) as deployed:
        yield deployed


@pytest.fixture(scope="session")
def shop(running: LocalShop) -> DeployedShop:
    """Return the shop on the embedded cloud, with its sender verified."""
    return running.surroundings.shop


@pytest.fixture(scope="session")
def purchases() -> Iterator[Purchase]:
    """Return purchases; each is used once."""
    return iter(first_purchases(PURCHASES))
