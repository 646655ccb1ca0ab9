"""The recent journeys, from the consumers' logs."""

from datetime import UTC, datetime, timedelta

from patchbay.operations.health.activity import MAX_ATTEMPTS, Attempt
from patchbay.operations.journeys.recent_journeys import recent_journeys

START = datetime(2026, 1, 31, 9, tzinfo=UTC)


def attempt(
    event: str, journey: str = "reading-1", *, after: float = 0, reason: str | None = None
) -> Attempt:
    at = START + timedelta(seconds=after)
    return Attempt(at, event, f"Type-{event}", journey, 1, age=0.1, reason=reason)


def test_the_journey_with_the_newest_attempt_comes_first() -> None:
    found = recent_journeys(
        {
            "alerts": [attempt("1", "reading-1"), attempt("2", "reading-2", after=1)],
            "journal": [attempt("3", "reading-1", after=2)],
        }
    )
    assert [each.id for each in found] == ["reading-1", "reading-2"]
    assert found[0].newest_type == "Type-3"
    assert (found[0].first, found[0].last) == (START, START + timedelta(seconds=2))


def test_an_event_with_several_consumers_counts_once() -> None:
    (found,) = recent_journeys({"alerts": [attempt("1")], "journal": [attempt("1")]})
    assert list(found.types) == ["1"]


def test_a_consumer_is_failing_until_it_handles_the_event() -> None:
    down = attempt("1", reason="it is down")
    (found,) = recent_journeys({"alerts": [down, attempt("1", after=1)], "notes": [down]})
    assert found.failing_consumers == ["notes"]


def test_an_attempt_without_a_correlation_id_is_left_out() -> None:
    assert recent_journeys({"alerts": [attempt("", "", reason="breaks its contract")]}) == []


def test_every_journey_is_found_also_with_many_consumers_and_attempts() -> None:
    several = {
        f"consumer-{number}": [
            attempt(str(each), f"r-{each % 10_000}") for each in range(MAX_ATTEMPTS)
        ]
        for number in range(10)
    }
    assert len(recent_journeys(several)) == MAX_ATTEMPTS
