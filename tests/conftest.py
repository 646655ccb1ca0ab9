"""What holds for every test: no way to a real AWS account, and the same inputs in every run.

The fixture `cloud` is the whole deployed system in the test's process: see docs/testing.md.
`running` is the same on the embedded cloud, for the tests that are marked so.
"""

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from demo.purchases import Purchase, first_purchases
from demo.shop import Shop as DeployedShop
from demo.surroundings import LocalShop, Surroundings
from patchbay.deploy.cdk import use_own_node
from patchbay.local.deployment import deploy_locally
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.templates import Templates
from tests.shop import Shop
from tests.synthesis import assembly, templates_in

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

use_own_node(os.environ)

settings.register_profile(
    "patchbay", deadline=None, max_examples=50, derandomize=True, database=None
)
settings.load_profile("patchbay")

PURCHASES = 100  # for all tests of the embedded cloud together
STAGE = "dev"  # what goes to AWS, and with a sandbox for the payment provider


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The synthesized templates of the whole system."""
    out = assembly(STAGE)
    return Templates(templates_in(out), out, stage=STAGE)


@pytest.fixture
def cloud(templates: Templates) -> Iterator[Shop]:
    """The system, freshly deployed. Time stands at the start of 2026 until the test moves it."""
    with Shop(templates) as shop:
        yield shop


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
