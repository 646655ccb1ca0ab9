"""Calls of the next step: retries, and failures that are passed on."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from demo.coupling.functions import step

THROTTLED = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
TIMED_OUT = ReadTimeoutError(endpoint_url="https://lambda")
CRASHED = {"errorMessage": "Task timed out after 60.00 seconds"}


class Lambda:
    """A stand-in for Lambda with prepared answers, which counts invocations."""

    def __init__(self, *answers: Exception | dict[str, Any]) -> None:
        self._answers = list(answers)
        self.invoked = 0

    def invoke(self, **_: str) -> dict[str, Any]:
        self.invoked += 1
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return failed | {"Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENTS_FUNCTION", "shop-payments")
    monkeypatch.setattr(step, "full_jitter", lambda *_, **__: 0.0)


def called(monkeypatch: pytest.MonkeyPatch, *answers: Exception | dict[str, Any]) -> Lambda:
    stand_in = Lambda(*answers)
    monkeypatch.setattr(step, "_lambda", stand_in)
    return stand_in


@pytest.mark.parametrize("failure", [THROTTLED, CRASHED, {"raised": "503"}])
def test_a_transient_failure_is_retried(
    failure: Exception | dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = called(monkeypatch, failure, failure, {"status": "paid"})

    assert step.call("payments", {}) == {"status": "paid"}
    assert payments.invoked == 3


def test_a_step_fails_after_three_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    payments = called(monkeypatch, *[THROTTLED] * 3)

    with pytest.raises(step.StepFailed, match="payments: TooManyRequestsException"):
        step.call("payments", {})
    assert payments.invoked == 3


@pytest.mark.parametrize("failure", [TIMED_OUT, {"failed": "notifications: no"}])
def test_a_call_that_timed_out_or_failed_in_a_later_step_is_not_retried(
    failure: Exception | dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = called(monkeypatch, failure)

    with pytest.raises(step.StepFailed):
        step.call("payments", {})
    assert payments.invoked == 1


def test_a_step_distinguishes_its_own_failure_from_that_of_the_next() -> None:
    @step.step
    def failing(event: dict[str, Any]) -> dict[str, Any]:
        raise event["what"]

    context: Any = None
    assert failing({"what": ValueError("its own")}, context) == {"raised": "its own"}
    assert failing({"what": step.StepFailed("of the next")}, context) == {"failed": "of the next"}
