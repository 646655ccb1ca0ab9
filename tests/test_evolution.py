"""Evolution of contracts: a consumer handles later versions that are compatible with its own."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from patchbay.testkit.templates import Templates
from tests.shop import Shop

IMPORT = "from pydantic import PositiveInt\n"
FIELD = """\
    amount: Dollars
    \"""Zero is legal: the shop gives records away.\"""
"""


def with_contract(templates: Templates, changes: Mapping[str, str], folder: Path) -> Templates:
    """Return the system after a deployment of the publisher alone, with another contract."""
    return templates.with_code("orders-outbox", "contracts/orders.py", changes, folder)


@pytest.mark.parametrize(
    "field",
    [
        '    gift_wrap: str = "none"\n',
        "    coupon: str | None = None\n",
        '    lines: list[dict[str, int]] = [{"cds": 1}]\n',
    ],
    ids=["a default", "an optional field", "a list of objects"],
)
def test_consumers_of_version_1_handle_a_compatible_later_one(
    field: str, templates: Templates, tmp_path: Path
) -> None:
    later = with_contract(templates, {FIELD: FIELD + field}, tmp_path)
    with Shop(later) as cloud:
        order = cloud.place_order()
        cloud.settle()
        (published,) = cloud.published("OrderPlaced")
        assert field.split(":")[0].strip() in published.data
        for consumer in ("payments", "notifications"):
            assert cloud.handled(consumer) == [order.event_id]
        assert cloud.order(order.order_id).status == "shipped"


def test_a_newer_version_is_a_dead_letter_until_its_consumers_are_upgraded(
    templates: Templates, tmp_path: Path
) -> None:
    breaking = "    version: ClassVar[int] = 2\n    price: Dollars | None = None\n"
    changes = {FIELD: breaking, IMPORT: f"from typing import ClassVar\n{IMPORT}"}
    later = with_contract(templates, changes, tmp_path)
    with Shop(later) as cloud:
        order = cloud.place_order()
        cloud.settle()
        for consumer in ("payments", "notifications"):
            assert cloud.dead_letters(consumer).causes == [order.event_id]
            (reason,) = cloud.dead_letters(consumer).reasons
            assert reason == (
                "OrderPlaced version 2 is newer than version 1, the one that this consumer knows"
            )


def test_unknown_fields_of_an_envelope_are_ignored(cloud: Shop) -> None:
    order = cloud.place_order()
    cloud.settle()
    (first,) = cloud.published("OrderPlaced")
    detail = json.loads(json.dumps(first.detail))
    detail["metadata"] |= {"id": "00000000-0000-4000-8000-000000000001", "tenant": "eu"}
    detail["signature"] = "of a later envelope"
    cloud.put("shop.orders", "OrderPlaced", detail)
    cloud.settle()
    assert cloud.handled("notifications") == [order.event_id, detail["metadata"]["id"]]
