"""How a step calls the next: what it tries again, and what it passes on."""

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
    """Answers each invocation with what comes next, and counts them."""

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


@pytest.mark.parametrize("trouble", [THROTTLED, CRASHED, {"raised": "503"}])
def test_trouble_that_may_pass_is_tried_again(
    trouble: Exception | dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = called(monkeypatch, trouble, trouble, {"status": "paid"})

    assert step.call("payments", {}) == {"status": "paid"}
    assert payments.invoked == 3


def test_a_step_is_given_up_after_three_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    payments = called(monkeypatch, *[THROTTLED] * 3)

    with pytest.raises(step.StepFailed, match="payments: TooManyRequestsException"):
        step.call("payments", {})
    assert payments.invoked == 3


@pytest.mark.parametrize("trouble", [TIMED_OUT, {"failed": "notifications: no"}])
def test_a_call_that_took_its_time_or_failed_further_on_is_not_repeated(
    trouble: Exception | dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = called(monkeypatch, trouble)

    with pytest.raises(step.StepFailed):
        step.call("payments", {})
    assert payments.invoked == 1


def test_a_step_tells_its_own_trouble_from_that_of_the_next() -> None:
    @step.step
    def failing(event: dict[str, Any]) -> dict[str, Any]:
        raise event["what"]

    context: Any = None
    assert failing({"what": ValueError("mine")}, context) == {"raised": "mine"}
    assert failing({"what": step.StepFailed("theirs")}, context) == {"failed": "theirs"}
