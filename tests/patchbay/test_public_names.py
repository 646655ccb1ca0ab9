"""The names that a project imports: they stay, and everything else may move."""

import subprocess
import sys
from importlib import import_module

import pytest

PROMISED = {
    "patchbay.app": {"add_services", "synthesizing"},
    "patchbay.constructs": {
        "Claims", "EventBus", "Function", "Service", "Setting", "SystemStack", "Tuning", "above",
        "accept", "add_alarm_topic", "at_least", "at_most", "below", "between", "equals", "missing",
        "none_of", "one_of", "prefix", "suffix",
    },
    "patchbay.events": {"AnyEvent", "Envelope", "Event", "Metadata"},
    "patchbay.messaging": {
        "BadRequest", "Cause", "Outgoing", "PublishFailed", "Refusal", "Reject", "answer", "body",
        "caused_by", "client_without_retries", "consumer", "full_jitter", "http_api", "logger",
        "metrics", "naturally_idempotent", "prepare", "publish", "scheduled", "send",
        "start_workflow",
    },
    "patchbay.testkit": {
        "AnswerLost", "Cloud", "CrashesAfterEffect", "DeadLetter", "DeadLetters", "Duplicated",
        "DynamoDBThrottled", "Fails", "Fault", "Hangs", "HttpAnswer", "Mail", "NeverIdle",
        "NotDeployable", "NotInTheKit", "Published", "Raises", "RefusesEntries", "Reordered",
        "ReturnsGarbage", "Slow", "Templates", "Throttled", "TimesOut", "Undeliverable",
    },
}  # fmt: skip


@pytest.mark.parametrize("package", PROMISED)
def test_every_promised_name_can_be_imported(package: str) -> None:
    module = import_module(package)
    for name in PROMISED[package]:
        found = getattr(module, name)
        assert not hasattr(found, "__path__"), f"{package}.{name} is a module"


@pytest.mark.parametrize("package", PROMISED)
def test_no_other_name_is_promised(package: str) -> None:
    assert set(import_module(package).__all__) == PROMISED[package]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    for package in ("patchbay.events", "patchbay.messaging"):
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            import_module(package).nothing  # noqa: B018


def test_a_function_that_only_consumes_loads_nothing_that_publishes() -> None:
    asked = (
        "import sys\nfrom patchbay.messaging import consumer, Reject\n"
        "print([name for name in sys.modules if name.endswith(('publishing', 'workflow', 'api'))"
        " and name.startswith('patchbay')])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
