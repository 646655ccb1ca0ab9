"""What goes over which cable, as far as the consumers' logs tell."""

from datetime import UTC, datetime, timedelta

from patchbay.operations.health.activity import RATE_WINDOW, Attempt
from patchbay.operations.health.health import PublishingService, ServiceSubscription
from patchbay.operations.health.traffic import NEWEST, Attempts, rates, recent_events

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
SENSORS = PublishingService("sensors", ("ReadingTaken",))
ALERTS = PublishingService("alerts", ("AlertRaised", "AlertCleared"))
TO_ALERTS = ServiceSubscription("sensors", "alerts", ("ReadingTaken",))
TO_FROST = ServiceSubscription("sensors", "frost", ("ReadingTaken",), is_filtered=True)
TO_JOURNAL = ServiceSubscription(None, "journal", ())
SUBSCRIPTIONS = (TO_ALERTS, TO_FROST, TO_JOURNAL)
PUBLISHERS = (SENSORS, ALERTS)


def attempt(id: str, type: str = "ReadingTaken", *, number: int = 1, after: float = 0) -> Attempt:
    at = START + timedelta(seconds=after)
    return Attempt(at, id, type, f"reading-{id}", number, age=0.1, reason=None)


def recounted(found: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Return the counts of events from their rates."""
    return {key: round(rate * RATE_WINDOW.total_seconds()) for key, rate in found.items()}


def test_a_consumer_that_handles_nothing_is_given_what_the_others_are_given() -> None:
    seen: Attempts = {"alerts": [], "journal": [attempt("1"), attempt("2")], "frost": []}
    found = recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))
    assert found["sensors", "alerts"] == 2
    assert found["sensors", ""] == 2


def test_what_a_filter_lets_through_is_known_to_its_consumer_alone() -> None:
    seen = {"journal": [attempt("1"), attempt("2")], "frost": [attempt("1")]}
    assert recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))["sensors", "frost"] == 1


def test_the_cable_for_everything_carries_everything() -> None:
    seen = {"journal": [attempt("1"), attempt("2", "AlertRaised")]}
    assert recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))["*", "journal"] == 2


def test_an_event_that_is_tried_again_has_not_come_again() -> None:
    seen = {"alerts": [attempt("1"), attempt("1", number=2), attempt("1", number=3)]}
    assert recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))["sensors", "alerts"] == 1


def test_an_event_that_several_are_given_passes_once_and_the_newest_come_first() -> None:
    many = [attempt(str(number), after=number) for number in range(NEWEST + 5)]
    shown = recent_events(PUBLISHERS, {"journal": many, "alerts": many})
    assert [each.correlation_id for each in shown] == [
        f"reading-{number}" for number in reversed(range(5, NEWEST + 5))
    ]
    assert {each.publisher for each in shown} == {"sensors"}


def test_an_event_that_nobody_is_known_to_publish_passes_as_well() -> None:
    (shown,) = recent_events(PUBLISHERS, {"journal": [attempt("1", "Unheard")]})
    assert shown.publisher is None
