"""The isolation matrix holds for the shop: each consumer in each kind of trouble."""

import pytest

from patchbay.testkit.isolation.matrix import Matrix
from patchbay.testkit.isolation.troubles import TROUBLES, Trouble
from patchbay.testkit.templates import Templates
from tests.invariants import SUBJECTS, TOO_MANY, Place, ShopsInvariants
from tests.shop import Shop

# The shop's consumers. All troubles affect them, except "can't publish" for some.
OWN = {"notifications", "orders-status", "payments"}
PUBLISH_NOTHING = {"notifications", "orders-status"}


@pytest.fixture(scope="module")
def matrix(templates: Templates) -> Matrix:
    return Matrix(templates, ShopsInvariants())


# Not parametrized by consumer: collecting the tests would synthesize the templates.
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_no_consumer_is_affected_by_anothers_trouble(trouble: Trouble, matrix: Matrix) -> None:
    cells = [matrix.cell(consumer, trouble) for consumer in matrix.consumers]
    assert [f"{cell.consumer}: {cell.why}" for cell in cells if not cell.holds] == []

    unaffected = {cell.consumer for cell in cells if cell.why} & OWN
    assert unaffected == (PUBLISH_NOTHING if trouble.name == "can't publish" else set())


def test_every_consumer_of_the_templates_is_in_the_matrix(matrix: Matrix, cloud: Shop) -> None:
    assert matrix.consumers == cloud.consumers
    assert set(matrix.consumers) >= OWN


def test_without_trouble_orders_are_shipped_declined_refunded_and_free(
    matrix: Matrix,
) -> None:
    healthy = matrix.healthy
    effects = healthy.effects.items()
    statuses = [str(value) for name, value in effects if name.startswith("the status of order")]
    assert sorted(statuses) == ["declined", "refunded", "shipped", "shipped", "shipped"]
    # One order was free, and one was refunded.
    charges = [str(value) for name, value in effects if name.startswith("the ledger entries")]
    assert sorted(charges) == ["0", "1", "1", "1", "2"]
    assert {subject for _, subject in healthy.mails} >= SUBJECTS
    assert all(set(work.handled) == work.due for work in healthy.work.values())


def test_an_event_that_no_order_causes_is_published_nevertheless(
    templates: Templates,
) -> None:
    now = (Place("11.77"), Place("50.00", customer_id="00004", items=TOO_MANY))
    matrix = Matrix(templates, ShopsInvariants(now, later=()))
    assert [event.type for event in matrix.healthy.events.values()].count("PaymentDeclined") == 1
    # orders-status has no such order, which is not a violation.
    assert len(matrix.healthy.work["orders-status"].dead) == 1
    poisoned = [trouble for trouble in TROUBLES if trouble.rejected]
    cells = [matrix.cell(name, *poisoned) for name in ("orders-status", "notifications")]
    assert [cell.why for cell in cells] == ["", ""]
