"""Each event has a publisher and a consumer, and none goes round for ever."""

import copy

from patchbay.guardrails.acceptance import Acceptances
from tests.patchbay.guardrails.broken import Broken

CIRCLE = (
    "Function greenhouse-dev-alerts would be handed what itself causes: AlertRaised goes to "
    "greenhouse-dev-sensors-status, ReadingTaken goes to greenhouse-dev-alerts. One event could go "
    "round for ever, at full speed. Break the circle; or, if the handlers end it, accept this on "
    "greenhouse-dev-alerts and say how."
)


def may_no_more_publish_raised_alerts(dev: Broken) -> None:
    (condition,) = dev.right("alerts", "events:PutEvents")["Condition"].values()
    condition["events:detail-type"] = ["AlertCleared"]


def water_for_readings(dev: Broken) -> None:
    dev.rule("watering-greenhouse-alerts")["EventPattern"] = {
        "source": ["greenhouse.sensors"],
        "detail-type": ["ReadingTaken"],
    }


def take_no_more_than_cleared_alerts(dev: Broken) -> None:
    for rule in ("notes-greenhouse-alerts", "sensors-status-greenhouse-alerts"):
        dev.rule(rule)["EventPattern"]["detail-type"] = ["AlertCleared"]
    water_for_readings(dev)


def texts(dev: Broken) -> list[str]:
    return [finding.text for finding in dev.found()]


def status_publishes_readings(dev: Broken) -> None:
    right = copy.deepcopy(dev.right("sensors-outbox", "events:PutEvents"))
    dev.rights("sensors-status").append(right)


def test_a_consumer_of_what_nobody_publishes_is_found(dev: Broken) -> None:
    may_no_more_publish_raised_alerts(dev)
    dev.rule("notes-greenhouse-alerts")["EventPattern"]["detail-type"] = ["AlertCleared"]
    water_for_readings(dev)
    dev.finds(
        "published[AlertRaised]",
        "Rule greenhouse-dev-sensors-status-greenhouse-alerts waits for AlertRaised, which "
        "nobody may "
        "publish: greenhouse-dev-sensors-status would never run for it. Declare it in "
        "`publishes` in "
        "the alerts service.",
    )


def test_an_event_that_nobody_consumes_is_worth_knowing(dev: Broken) -> None:
    take_no_more_than_cleared_alerts(dev)
    dev.finds(
        "consumed[AlertRaised]",
        "Event AlertRaised, which greenhouse-dev-alerts publishes, is consumed by nobody.",
    )
    assert all(finding.warning for finding in dev.found())


def test_a_contract_that_nobody_uses_is_worth_knowing(dev: Broken) -> None:
    may_no_more_publish_raised_alerts(dev)
    take_no_more_than_cleared_alerts(dev)
    dev.finds(
        "published",
        "Event AlertRaised is in the contracts, and nobody publishes or consumes it.",
    )
    assert all(finding.warning for finding in dev.found())


def test_a_consumer_of_its_own_events_is_found(dev: Broken) -> None:
    dev.rule("alerts-greenhouse-sensors")["EventPattern"] = {
        "source": ["greenhouse.alerts"],
        "detail-type": ["AlertRaised"],
    }
    dev.finds(
        "loop",
        "Function greenhouse-dev-alerts would be handed what itself causes: AlertRaised goes "
        "to greenhouse-dev-alerts. One event could go round for ever, at full speed. Break the "
        "circle; or, if the handlers end it, accept this on greenhouse-dev-alerts and say how.",
    )


def test_a_circle_of_consumers_is_found_once(dev: Broken) -> None:
    status_publishes_readings(dev)
    assert texts(dev).count(CIRCLE) == 1


def test_a_filter_does_not_end_a_circle_by_itself(dev: Broken) -> None:
    status_publishes_readings(dev)
    dev.rule("alerts-greenhouse-sensors")["EventPattern"]["detail"] = {"data": {"celsius": [1]}}
    assert CIRCLE in texts(dev)


def test_a_function_may_say_that_a_circle_ends(dev: Broken) -> None:
    status_publishes_readings(dev)
    reasons = dict(dev.accepted.reasons)
    reasons["greenhouse-dev-alerts/Function"] = frozenset({"loop"})
    dev.accepted = Acceptances(dev.accepted.paths, reasons)
    assert CIRCLE not in texts(dev)
