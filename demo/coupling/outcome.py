"""The outcome of one side's orders during one fault."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from statistics import median
from typing import Any

from demo.coupling.drive import Answered
from patchbay.operations.formatting import percentile


@dataclass(frozen=True, kw_only=True)
class Traces:
    """The data that the orders have left, once the system is idle."""

    statuses: Mapping[str, str]
    """The status of each order, by its id."""
    finished_at: Mapping[str, float]
    """When each order got its last status, in seconds since the epoch, if that was after the
    response."""
    charged: Set[str]
    """The ids of the charged orders."""
    mailed: Set[str]
    """The ids of the orders whose customers got a mail."""


def outcome(answers: Sequence[Answered], traces: Traces, final: Set[str]) -> dict[str, Any]:
    """Return the outcome of one side as JSON values; `final` are statuses of finished orders."""
    finished = [each for each in answers if traces.statuses.get(each.order_id) in final]
    done = {each.order_id for each in finished}
    declined = [each for each in finished if traces.statuses[each.order_id] == "declined"]
    all_ids = {each.order_id for each in answers}
    return {
        "placed": len(answers),
        "accepted": sum(each.accepted for each in answers),
        "finished": len(finished),
        "statuses": dict(sorted(Counter(_statuses(answers, traces)).items())),
        "charged_but_not_finished": len((traces.charged & all_ids) - done),
        "finished_but_not_mailed": len(done - traces.mailed),
        "answer": seconds([each.waited for each in answers]),
        "finish": seconds([_until_finished(each, traces) for each in finished]),
        "decline": seconds([_until_finished(each, traces) for each in declined]),
    }


def seconds(values: Sequence[float]) -> dict[str, float | None]:
    """Return the median and the 95th percentile; None where there is no value."""
    if not values:
        return {"p50": None, "p95": None}
    return {"p50": _rounded(median(values)), "p95": _rounded(percentile(values, 95))}


def _statuses(answers: Sequence[Answered], traces: Traces) -> list[str]:
    return [traces.statuses.get(each.order_id, "none") for each in answers]


def _until_finished(answered: Answered, traces: Traces) -> float:
    """Return the seconds from when the order was due until it got its last status.

    If it had that status in the response, they are those until the response.
    """
    later = traces.finished_at.get(answered.order_id)
    return answered.waited if later is None else later - answered.placed_at


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
