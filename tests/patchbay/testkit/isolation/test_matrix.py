import pytest

from patchbay.messaging.publishing import MAX_EVENT_BYTES
from patchbay.testkit.isolation import matrix as matrix_module
from patchbay.testkit.isolation.matrix import TOO_MANY, Matrix
from patchbay.testkit.isolation.troubles import TROUBLES, Stuffed, Trouble
from patchbay.testkit.templates import Templates
from tests.shop import Shop

# The shop's own. Each of them meets all troubles, but for those that publish nothing.
OWN = {"notifications", "orders-status", "payments"}
PUBLISH_NOTHING = {"notifications", "orders-status"}


@pytest.fixture(scope="module")
def matrix(templates: Templates) -> Matrix:
    return Matrix(templates)


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
    assert sorted(healthy.orders.values()) == [
        "declined",
        "refunded",
        "shipped",
        "shipped",
        "shipped",
    ]
    # One was for nothing, and one was given back.
    assert sorted(healthy.charges.values()) == [1, 1, 1, 2]
    assert {subject for _, subject in healthy.mails} == {
        "Order placed", "Payment declined", "Payment refunded",
    }  # fmt: skip
    assert all(set(work.handled) == work.due for work in healthy.work.values())


def test_an_event_that_no_order_brings_about_is_published_all_the_same(
    templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix_module, "NOW", (("00001", "11.77", 1), ("00004", "50.00", TOO_MANY)))
    monkeypatch.setattr(matrix_module, "LATER", ())
    matrix = Matrix(templates)
    assert [event.type for event in matrix.healthy.events.values()].count("PaymentDeclined") == 1
    # orders-status knows no such order, and that is nobody's fault.
    assert len(matrix.healthy.work["orders-status"].dead) == 1
    poisoned = [trouble for trouble in TROUBLES if trouble.rejected]
    cells = [matrix.cell(name, *poisoned) for name in ("orders-status", "notifications")]
    assert [cell.why for cell in cells] == ["", ""]


def test_the_largest_event_is_as_large_as_publish_allows(
    cloud: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.place_order()
    cloud.settle()
    sizes: list[int] = []
    monkeypatch.setattr(cloud, "put", lambda *entry: sizes.append(len("".join(entry).encode())))
    Stuffed("").go_on(cloud, "payments")
    assert sizes == [MAX_EVENT_BYTES]
