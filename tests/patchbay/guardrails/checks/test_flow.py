"""Each event has a publisher and a consumer, and none goes round for ever."""

import copy

from patchbay.guardrails.acceptance import Acceptances
from tests.patchbay.guardrails.broken import Broken

LOOP = (
    "Function greenhouse-dev-alerts would receive events that it causes itself: AlertRaised goes "
    "to greenhouse-dev-sensors-status, ReadingTaken goes to greenhouse-dev-alerts. One event could "
    "go round for ever, at full speed. Break the loop; or, if the handlers end it, accept this "
    "finding on greenhouse-dev-alerts and give the reason."
)


def stop_publishing_raised_alerts(dev: Broken) -> None:
    (condition,) = dev.statement("alerts", "events:PutEvents")["Condition"].values()
    condition["events:detail-type"] = ["AlertCleared"]


def start_watering_on_readings(dev: Broken) -> None:
    dev.rule("watering-greenhouse-alerts")["EventPattern"] = {
        "source": ["greenhouse.sensors"],
        "detail-type": ["ReadingTaken"],
    }


def stop_consuming_raised_alerts(dev: Broken) -> None:
    for rule in ("notes-greenhouse-alerts", "sensors-status-greenhouse-alerts"):
        dev.rule(rule)["EventPattern"]["detail-type"] = ["AlertCleared"]
    start_watering_on_readings(dev)


def texts(dev: Broken) -> list[str]:
    return [finding.text for finding in dev.found()]


def status_publishes_readings(dev: Broken) -> None:
    statement = copy.deepcopy(dev.statement("sensors-outbox", "events:PutEvents"))
    dev.statements("sensors-status").append(statement)


def test_a_consumer_of_an_event_without_a_publisher_is_found(dev: Broken) -> None:
    stop_publishing_raised_alerts(dev)
    dev.rule("notes-greenhouse-alerts")["EventPattern"]["detail-type"] = ["AlertCleared"]
    start_watering_on_readings(dev)
    dev.finds(
        "published[AlertRaised]",
        "Rule greenhouse-dev-sensors-status-greenhouse-alerts matches AlertRaised, which nothing "
        "may publish: greenhouse-dev-sensors-status would never receive it. Declare it in "
        "`publishes` in the alerts service.",
    )


def test_an_event_without_a_consumer_is_a_warning(dev: Broken) -> None:
    stop_consuming_raised_alerts(dev)
    dev.finds(
        "consumed[AlertRaised]",
        "Event AlertRaised, which greenhouse-dev-alerts publishes, has no consumer.",
    )
    assert all(finding.warning for finding in dev.found())


def test_an_unused_contract_is_a_warning(dev: Broken) -> None:
    stop_publishing_raised_alerts(dev)
    stop_consuming_raised_alerts(dev)
    dev.finds(
        "published",
        "Event AlertRaised is in the contracts, but nothing publishes or consumes it.",
    )
    assert all(finding.warning for finding in dev.found())


def test_a_consumer_of_its_own_events_is_found(dev: Broken) -> None:
    dev.rule("alerts-greenhouse-sensors")["EventPattern"] = {
        "source": ["greenhouse.alerts"],
        "detail-type": ["AlertRaised"],
    }
    dev.finds(
        "loop",
        "Function greenhouse-dev-alerts would receive events that it causes itself: AlertRaised "
        "goes to greenhouse-dev-alerts. One event could go round for ever, at full speed. Break "
        "the loop; or, if the handlers end it, accept this finding on greenhouse-dev-alerts and "
        "give the reason.",
    )


def test_a_loop_of_consumers_is_found_once(dev: Broken) -> None:
    status_publishes_readings(dev)
    assert texts(dev).count(LOOP) == 1


def test_a_filter_does_not_end_a_loop_by_itself(dev: Broken) -> None:
    status_publishes_readings(dev)
    dev.rule("alerts-greenhouse-sensors")["EventPattern"]["detail"] = {"data": {"celsius": [1]}}
    assert LOOP in texts(dev)


def test_a_function_may_accept_a_loop(dev: Broken) -> None:
    status_publishes_readings(dev)
    reasons = dict(dev.accepted.reasons)
    reasons["greenhouse-dev-alerts/Function"] = frozenset({"loop"})
    dev.accepted = Acceptances(dev.accepted.paths, reasons)
    assert LOOP not in texts(dev)
