"""The traffic on each subscription, from the consumers' logs."""

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


def test_the_rate_to_a_consumer_that_handles_nothing_is_known_from_the_others() -> None:
    seen: Attempts = {"alerts": [], "journal": [attempt("1"), attempt("2")], "frost": []}
    found = recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))
    assert found["sensors", "alerts"] == 2
    assert found["sensors", ""] == 2


def test_the_rate_through_a_filter_is_known_from_its_consumer_only() -> None:
    seen = {"journal": [attempt("1"), attempt("2")], "frost": [attempt("1")]}
    assert recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))["sensors", "frost"] == 1


def test_the_subscription_to_every_event_has_the_rate_of_all() -> None:
    seen = {"journal": [attempt("1"), attempt("2", "AlertRaised")]}
    assert recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))["*", "journal"] == 2


def test_a_retry_is_not_counted_as_another_event() -> None:
    seen = {"alerts": [attempt("1"), attempt("1", number=2), attempt("1", number=3)]}
    assert recounted(rates(PUBLISHERS, SUBSCRIPTIONS, seen))["sensors", "alerts"] == 1


def test_an_event_with_several_consumers_is_shown_once_and_the_newest_first() -> None:
    many = [attempt(str(number), after=number) for number in range(NEWEST + 5)]
    shown = recent_events(PUBLISHERS, {"journal": many, "alerts": many})
    assert [each.correlation_id for each in shown] == [
        f"reading-{number}" for number in reversed(range(5, NEWEST + 5))
    ]
    assert {each.publisher for each in shown} == {"sensors"}


def test_an_event_without_a_known_publisher_is_shown_too() -> None:
    (shown,) = recent_events(PUBLISHERS, {"journal": [attempt("1", "Unheard")]})
    assert shown.publisher is None
