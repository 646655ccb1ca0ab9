from typing import Any

import pytest

from demo.coupling.drive import Answered
from demo.coupling.outcome import Traces, outcome, seconds

FINAL = frozenset({"paid", "declined"})


def answered(order: str, *, waited: float = 0.1, accepted: bool = True) -> Answered:
    return Answered(
        side="a side", order_id=order, placed_at=100.0, waited=waited, accepted=accepted
    )


def traces(statuses: dict[str, str], **fields: Any) -> Traces:
    nothing: dict[str, Any] = {"finished_at": {}, "charged": set(), "mailed": set(statuses)}
    return Traces(statuses=statuses, **nothing | fields)


def test_an_order_that_failed_after_it_was_paid_is_counted_as_both() -> None:
    orders = [answered("well"), answered("failed", accepted=False)]
    left = traces({"well": "paid", "failed": "failed"}, charged={"well", "failed", "another's"})

    found = outcome(orders, left, FINAL)

    assert (found["placed"], found["accepted"], found["finished"]) == (2, 1, 1)
    assert found["charged_but_not_finished"] == 1
    assert found["statuses"] == {"failed": 1, "paid": 1}


def test_an_order_that_was_never_written_is_not_finished() -> None:
    found = outcome([answered("lost", accepted=False)], traces({}), FINAL)

    assert found["finished"] == 0
    assert found["finish"] == {"p50": None, "p95": None}


def test_a_finished_order_without_a_mail_is_counted() -> None:
    found = outcome([answered("one")], traces({"one": "paid"}, mailed=set()), FINAL)

    assert found["finished_but_not_mailed"] == 1


def test_an_order_is_finished_at_its_last_status_or_else_with_the_response() -> None:
    orders = [answered("later", waited=0.1), answered("at once", waited=2.0)]
    left = traces({"later": "paid", "at once": "paid"}, finished_at={"later": 104.0})

    found = outcome(orders, left, FINAL)

    assert found["answer"]["p50"] == pytest.approx(1.05)
    assert found["finish"]["p50"] == pytest.approx(3.0)


def test_a_decline_is_known_when_the_order_gets_that_status() -> None:
    orders = [answered("declined"), answered("paid", waited=9.0)]
    left = traces({"declined": "declined", "paid": "paid"}, finished_at={"declined": 101.5})

    assert outcome(orders, left, FINAL)["decline"] == {"p50": 1.5, "p95": 1.5}


def test_the_percentiles_are_those_of_the_statistics_module() -> None:
    assert seconds([float(value) for value in range(101)]) == {"p50": 50.0, "p95": 95.0}
    assert seconds([2.0]) == {"p50": 2.0, "p95": 2.0}
    assert seconds([]) == {"p50": None, "p95": None}
