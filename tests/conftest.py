"""Fixtures of the shop's tests, in addition to those of Patchbay's pytest plugin.

`cloud` is the whole deployed system, with methods for the shop: see docs/testing.md.
`running` is the same on the embedded cloud, for the tests that are marked `embedded`.
"""

from collections.abc import Iterator

import pytest

from demo.purchases import Purchase, first_purchases
from demo.shop import Shop as DeployedShop
from demo.surroundings import LocalShop, Surroundings
from patchbay.local.deployment import deploy_locally
from tests.shop import Shop

PURCHASES = 100  # for all tests of the embedded cloud together
STAGE = "dev"  # what goes to AWS, and with a sandbox for the payment provider


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
