from datetime import UTC, datetime
from typing import Any

import pytest

from patchbay.messaging.cause import current_cause
from patchbay.messaging.scheduling import NoSuchRun, scheduled
from tests.patchbay.messaging.wire import Context

DUE = {"schedule": "accounts-close", "at": "2026-01-31T03:00:00Z"}


def test_the_function_gets_the_time_at_which_it_was_due() -> None:
    times: list[datetime] = []
    scheduled(times.append)(dict(DUE), Context())
    assert times == [datetime(2026, 1, 31, 3, tzinfo=UTC)]


def test_the_ids_of_a_runs_events_derive_from_its_schedule_and_its_time() -> None:
    seeds: list[str] = []
    handler = scheduled(lambda at: seeds.append(current_cause().seed))
    handler(dict(DUE), Context())
    handler(dict(DUE, at="2026-01-31T04:00:00+01:00"), Context())
    handler(dict(DUE, at="2026-01-31T03:00:00"), Context())
    handler(dict(DUE, schedule="another"), Context())
    assert seeds[0] == seeds[1] == seeds[2] == "accounts-close/2026-01-31T03:00:00+00:00"
    assert seeds[3] != seeds[0]


def test_an_exception_fails_the_run_so_that_it_is_retried() -> None:
    def fail(at: datetime) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        scheduled(fail)(dict(DUE), Context())


@pytest.mark.parametrize(
    "event",
    [{}, {"schedule": "x"}, {"schedule": "x", "at": "<aws.scheduler.scheduled-time>"}, {"at": 7}],
)
def test_an_invocation_without_a_time_fails_with_what_to_pass(event: Any) -> None:
    with pytest.raises(NoSuchRun, match="To run one by hand, pass"):
        scheduled(lambda at: None)(event, Context())
