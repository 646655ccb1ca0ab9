"""Each event has a publisher and a consumer, and none goes round for ever."""

import copy

from patchbay.guardrails.acceptance import Acceptances
from tests.patchbay.guardrails.broken import Broken

CIRCLE = (
    "Function records-dev-orders-status would be handed what itself causes: OrderPlaced goes to "
    "records-dev-payments, PaymentDeclined goes to records-dev-orders-status. One event could go "
    "round for ever, at full speed. Break the circle; or, if the handlers end it, accept this on "
    "records-dev-orders-status and say how."
)


def may_no_more_publish_payment_taken(dev: Broken) -> None:
    (condition,) = dev.right("payments", "events:PutEvents")["Condition"].values()
    condition["events:detail-type"] = ["PaymentDeclined"]


def take_no_more_than_declined_payments(dev: Broken) -> None:
    for rule in ("orders-status-shop-payments", "fulfilment-shop-payments"):
        dev.rule(rule)["EventPattern"]["detail-type"] = ["PaymentDeclined"]


def texts(dev: Broken) -> list[str]:
    return [finding.text for finding in dev.found()]


def status_publishes_orders(dev: Broken) -> None:
    right = copy.deepcopy(dev.right("orders-outbox", "events:PutEvents"))
    dev.rights("orders-status").append(right)


def test_a_consumer_of_what_nobody_publishes_is_found(dev: Broken) -> None:
    may_no_more_publish_payment_taken(dev)
    dev.rule("fulfilment-shop-payments")["EventPattern"]["detail-type"] = ["PaymentDeclined"]
    dev.finds(
        "published[PaymentTaken]",
        "Rule records-dev-orders-status-shop-payments waits for PaymentTaken, which nobody may "
        "publish: records-dev-orders-status would never run for it. Declare it in `publishes` in "
        "the payments service.",
    )


def test_an_event_that_nobody_consumes_is_worth_knowing(dev: Broken) -> None:
    take_no_more_than_declined_payments(dev)
    dev.finds(
        "consumed[PaymentTaken]",
        "Event PaymentTaken, which records-dev-payments publishes, is consumed by nobody.",
    )
    assert all(finding.warning for finding in dev.found())


def test_a_contract_that_nobody_uses_is_worth_knowing(dev: Broken) -> None:
    may_no_more_publish_payment_taken(dev)
    take_no_more_than_declined_payments(dev)
    dev.finds(
        "published",
        "Event PaymentTaken is in the contracts, and nobody publishes or consumes it.",
    )
    assert all(finding.warning for finding in dev.found())


def test_a_consumer_of_its_own_events_is_found(dev: Broken) -> None:
    dev.rule("payments-shop-orders")["EventPattern"] = {
        "source": ["shop.payments"],
        "detail-type": ["PaymentDeclined"],
    }
    dev.finds(
        "loop",
        "Function records-dev-payments would be handed what itself causes: PaymentDeclined goes "
        "to records-dev-payments. One event could go round for ever, at full speed. Break the "
        "circle; or, if the handlers end it, accept this on records-dev-payments and say how.",
    )


def test_a_circle_of_consumers_is_found_once(dev: Broken) -> None:
    status_publishes_orders(dev)
    assert texts(dev).count(CIRCLE) == 1


def test_a_filter_does_not_end_a_circle_by_itself(dev: Broken) -> None:
    status_publishes_orders(dev)
    dev.rule("payments-shop-orders")["EventPattern"]["detail"] = {"data": {"items": [1]}}
    assert CIRCLE in texts(dev)


def test_a_function_may_say_that_a_circle_ends(dev: Broken) -> None:
    status_publishes_orders(dev)
    reasons = dict(dev.accepted.reasons)
    reasons["records-dev-orders/StatusFunction"] = frozenset({"loop"})
    dev.accepted = Acceptances(dev.accepted.paths, reasons)
    assert CIRCLE not in texts(dev)
