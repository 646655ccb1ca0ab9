"""The isolation matrix of the shop: each consumer in each kind of trouble."""

import pytest

from patchbay.testkit.isolation.matrix import Matrix
from patchbay.testkit.isolation.troubles import TROUBLES, Trouble
from patchbay.testkit.templates import Templates
from tests.invariants import SUBJECTS, TOO_MANY, Place, ShopsInvariants
from tests.shop import Shop

# The shop's own. Each of them meets all troubles, but for those that publish nothing.
OWN = {"notifications", "orders-status", "payments"}
PUBLISH_NOTHING = {"notifications", "orders-status"}


@pytest.fixture(scope="module")
def matrix(templates: Templates) -> Matrix:
    return Matrix(templates, ShopsInvariants())


# Not by consumer as well: whoever collects the tests would have to synthesize the templates first.
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_nobody_notices_a_consumer_in_trouble(trouble: Trouble, matrix: Matrix) -> None:
    cells = [matrix.cell(consumer, trouble) for consumer in matrix.consumers]
    assert [f"{cell.consumer}: {cell.why}" for cell in cells if not cell.holds] == []

    untried = {cell.consumer for cell in cells if cell.why} & OWN
    assert untried == (PUBLISH_NOTHING if trouble.name == "can't publish" else set())


def test_every_consumer_of_the_templates_is_in_the_matrix(matrix: Matrix, cloud: Shop) -> None:
    assert matrix.consumers == cloud.consumers
    assert set(matrix.consumers) >= OWN


def test_without_trouble_orders_are_shipped_declined_refunded_and_given_away(
    matrix: Matrix,
) -> None:
    healthy = matrix.healthy
    effects = healthy.effects.items()
    statuses = [str(value) for name, value in effects if name.startswith("the status of order")]
    assert sorted(statuses) == ["declined", "refunded", "shipped", "shipped", "shipped"]
    # One was for nothing, and one was given back.
    charges = [str(value) for name, value in effects if name.startswith("the ledger entries")]
    assert sorted(charges) == ["0", "1", "1", "1", "2"]
    assert {subject for _, subject in healthy.mails} >= SUBJECTS
    assert all(set(work.handled) == work.due for work in healthy.work.values())


def test_an_event_that_no_order_brings_about_is_published_all_the_same(
    templates: Templates,
) -> None:
    now = (Place("11.77"), Place("50.00", customer_id="00004", items=TOO_MANY))
    matrix = Matrix(templates, ShopsInvariants(now, later=()))
    assert [event.type for event in matrix.healthy.events.values()].count("PaymentDeclined") == 1
    # orders-status knows no such order, and that is nobody's fault.
    assert len(matrix.healthy.work["orders-status"].dead) == 1
    poisoned = [trouble for trouble in TROUBLES if trouble.rejected]
    cells = [matrix.cell(name, *poisoned) for name in ("orders-status", "notifications")]
    assert [cell.why for cell in cells] == ["", ""]
