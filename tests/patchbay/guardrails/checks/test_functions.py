"""Runtimes, architectures and log groups of functions."""

import pytest

from tests.patchbay.guardrails.broken import Broken


def test_a_function_without_a_log_group_is_found(dev: Broken) -> None:
    dev.remove("Logs::LogGroup", "alerts-siren")
    dev.finds(
        "log-group",
        "Function greenhouse-dev-alerts-siren has no log group in its stack: Lambda would create "
        "one that keeps everything for ever, at your cost. Create it, with a retention.",
    )


def test_a_log_group_with_a_functions_default_name_counts_as_its_own(dev: Broken) -> None:
    del dev.function("alerts")["LoggingConfig"]
    assert dev.found() == []


def test_a_log_group_that_two_functions_share_is_found(dev: Broken) -> None:
    theirs = dev.function("alerts")["LoggingConfig"]
    dev.function("alerts-siren")["LoggingConfig"] = theirs
    dev.finds(
        "log-group",
        "Log group /aws/lambda/greenhouse-dev-alerts is shared by greenhouse-dev-alerts and "
        "greenhouse-dev-alerts-siren: their lines would be mixed, and have one retention. Give "
        "each function its own.",
    )


@pytest.mark.parametrize("name", ["/aws/lambda/greenhouse-dev-alerts", "/aws/apigateway/"])
def test_a_log_group_without_retention_is_found(name: str, dev: Broken) -> None:
    (group,) = (
        group
        for template in dev.templates.values()
        for group in template.all("Logs::LogGroup")
        if group.name == name or (name.endswith("/") and group.name.startswith(name))
    )
    del group.body["Properties"]["RetentionInDays"]
    dev.finds(
        "log-group",
        f"Log group {group.name} has no retention: it would keep everything for ever, at your "
        "cost. Set RetentionInDays.",
    )


@pytest.mark.parametrize("runtime", ["provided.al2023", "nodejs24.x", "python3", "python3.x"])
def test_a_runtime_other_than_python_is_found(runtime: str, dev: Broken) -> None:
    dev.function("alerts")["Runtime"] = runtime
    dev.finds(
        "runtime",
        f"Function greenhouse-dev-alerts runs on {runtime}, which is not a version of Python: its "
        "layer and its tests are made for Python. Use python3.N.",
    )


@pytest.mark.parametrize("runtime", ["python2.7", "python3.9", "python3.10"])
def test_a_runtime_that_lambda_no_longer_supports_is_found(runtime: str, dev: Broken) -> None:
    dev.function("alerts")["Runtime"] = runtime
    dev.finds(
        "runtime",
        f"Function greenhouse-dev-alerts runs on {runtime}, which Lambda no longer supports: it "
        "gets no security fixes, and AWS will refuse it. Use python3.11 or newer.",
    )


def test_the_oldest_python_that_lambda_supports_passes(dev: Broken) -> None:
    dev.function("alerts")["Runtime"] = "python3.11"
    assert dev.found() == []


def test_a_function_that_does_not_state_its_architecture_is_found(dev: Broken) -> None:
    del dev.function("alerts")["Architectures"]
    dev.finds(
        "runtime",
        "Function greenhouse-dev-alerts does not state its architecture, and would run on x86_64: "
        "a layer built for arm64 fails there when it is imported. State it.",
    )
