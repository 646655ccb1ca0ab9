"""What the shop's own tests have beside the fixtures of Patchbay's plugin for pytest.

`cloud` is the whole deployed system, in the words of the shop: see docs/testing.md.
`running` is the same on the embedded cloud, for the tests that are marked so.
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
    """What a test's cloud can do in the shop's words."""
    return Shop


@pytest.fixture(scope="session")
def running() -> Iterator[LocalShop]:
    """The system on the embedded cloud, where the real CDK CLI has deployed it."""
    with deploy_locally(Surroundings) as deployed:
        yield deployed


@pytest.fixture(scope="session")
def shop(running: LocalShop) -> DeployedShop:
    """The shop on the embedded cloud, with its sender verified."""
    return running.surroundings.shop


@pytest.fixture(scope="session")
def purchases() -> Iterator[Purchase]:
    """Purchases of which none is ever made twice."""
    return iter(first_purchases(PURCHASES))
