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
    """The shop on the embedded cloud, with its mails let out."""
    return running.surroundings.shop


@pytest.fixture(scope="session")
def purchases() -> Iterator[Purchase]:
    """Purchases of which none is ever made twice."""
<<<<<<< HEAD
    return iter(first_purchases(PURCHASES))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a test that fails tell what happened in its cloud."""
    report = yield
    cloud = getattr(item, "funcargs", {}).get("cloud")
    if report.failed and call.when == "call" and isinstance(cloud, Cloud):
        report.sections.append(("What happened in the cloud", cloud.history()))
    return report
=======
    return iter(first_purchases(100))
>>>>>>> 6a006ce (Make the test kit a plugin for pytest, with breakpoints, on apps that are not built with Patchbay)
