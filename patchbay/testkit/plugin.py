"""The pytest plugin: the fixture `cloud`, a project's whole app, deployed for each test.

It is active wherever the package is installed, and does nothing until a test uses a fixture. But in
a Patchbay project, no test can reach a real AWS account, jsii runs on the pinned Node, and
Hypothesis draws the same examples in every run.

Fixtures, which a project may override in its conftest.py:
- `cloud`: the app, freshly deployed. The report of a failed test has the cloud's history.
- `cloud_class`: the class of `cloud`, for a project's own methods: `cloud.book_appointment()`.
- `templates`: the app's synthesized templates.

Settings in pytest's configuration:
- `patchbay_stage`: the stage for which the app is synthesized; `dev` by default.
- `patchbay_assembly`: the folder of a synthesized cloud assembly, for an app that is not a Patchbay
  project; there, it is `cdk.out` by default.
"""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from patchbay.testkit.cloud import Cloud
    from patchbay.testkit.templates import Templates

_SECTION = "[tool.patchbay]"
_PROFILE = "patchbay"
_RARE_COLLECTIONS = (20_000, 20, 50)  # allocations, and collections of the younger generations


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("patchbay_stage", "the stage whose templates are tested", default="dev")
    parser.addini("patchbay_assembly", "the folder of the cloud assembly to be tested", default="")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Prepare the process of a project's tests before it imports the project."""
    if _is_a_project(early_config.rootpath):
        _block_aws_accounts()
        _use_own_node()
        _make_hypothesis_repeatable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what is loaded out of garbage collection, which took an eighth of the tests' time."""
    if _is_a_project(session.config.rootpath):
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_RARE_COLLECTIONS)


def _is_a_project(folder: Path) -> bool:
    file = folder / "pyproject.toml"
    return file.is_file() and _SECTION in file.read_text(errors="replace")


def _block_aws_accounts() -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _use_own_node() -> None:
    try:
        from patchbay.deploy.cdk import use_own_node
    except ImportError:
        return  # nothing here synthesizes
    use_own_node(os.environ)


def _make_hypothesis_repeatable() -> None:
    try:
        from hypothesis import settings
    except ImportError:
        return
    settings.register_profile(
        _PROFILE, deadline=None, max_examples=50, derandomize=True, database=None
    )
    settings.load_profile(_PROFILE)


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest) -> "Templates":
    """Return the app's synthesized templates, synthesized again only if a source has changed."""
    from patchbay.testkit.templates import Templates

    root, assembly = request.config.rootpath, request.config.getini("patchbay_assembly")
    if assembly or not _is_a_project(root):
        return Templates.from_assembly(root / (assembly or "cdk.out"))
    from patchbay.deploy.synthesis import synthesize
    from patchbay.processes.workspace import BUILD
    from patchbay.project.naming import named

    stage = request.config.getini("patchbay_stage")
    folder = synthesize(stage, {}, into=BUILD / "test-assemblies")
    return Templates.from_assembly(folder, prefix=named(stage, ""))


@pytest.fixture(scope="session")
def cloud_class() -> "type[Cloud]":
    """Return the class of the fixture `cloud`."""
    from patchbay.testkit.cloud import Cloud

    return Cloud


@pytest.fixture
def cloud(templates: "Templates", cloud_class: "type[Cloud]") -> "Iterator[Cloud]":
    """Deploy the app. Its clock starts at 2026-01-01, and only the test moves it."""
    with cloud_class(templates) as deployed:
        yield deployed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the history of its clouds to the report of a failed test."""
    report = yield
    # If the module is not imported, there is no cloud.
    if report.failed and call.when == "call" and "patchbay.testkit.cloud" in sys.modules:
        from patchbay.testkit.cloud import Cloud

        for fixture in getattr(item, "funcargs", {}).values():
            if isinstance(fixture, Cloud):
                report.sections.append(("What happened in the cloud", fixture.history()))
    return report
