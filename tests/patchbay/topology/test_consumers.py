"""Which events a rule lets through."""

from typing import Any

import pytest

from patchbay.topology.rules import lets_through, looks_inside
from patchbay.topology.template import Resource, Template


def rule(pattern: dict[str, Any]) -> Resource:
    body = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}
    return Resource(Template("stack", {}), "Rule", body)


@pytest.mark.parametrize(
    ("pattern", "passes", "filtered"),
    [
        ({"source": ["shop.orders"], "detail-type": ["OrderPlaced"]}, True, False),
        ({"source": ["shop.orders"]}, True, False),
        ({"source": [{"prefix": "shop."}]}, True, False),
        ({"source": ["shop.payments"]}, False, False),
        ({"detail-type": ["Orderplaced"]}, False, False),
        ({"source": ["shop.orders"], "detail": {"data": {"items": [1]}}}, True, True),
        ({"source": ["shop.payments"], "detail": {"data": {"items": [1]}}}, False, True),
        ({"detail": {"data": {"items": [1]}}}, True, True),
        ({"source": ["shop.orders"], "account": [{"Ref": "AWS::AccountId"}]}, True, True),
        ({"$or": [{"source": ["shop.orders"]}, {"source": ["shop.payments"]}]}, True, False),
        ({"$or": [{"source": ["shop.a"]}, {"source": ["shop.b"]}]}, False, False),
        ({"$or": [{"source": ["shop.a"]}, {"detail": {"data": {"items": [1]}}}]}, True, True),
        ({"source": [{"no-such-operator": 1}]}, False, False),
    ],
)
def test_a_rule_is_judged_by_the_source_and_type_that_it_asks_for(
    pattern: dict[str, Any], passes: bool, filtered: bool
) -> None:
    assert lets_through(rule(pattern), "shop.orders", "OrderPlaced") is passes
    assert looks_inside(rule(pattern)) is filtered
