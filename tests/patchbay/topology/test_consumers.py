"""Rules let events through by source and type."""

from typing import Any

import pytest

from patchbay.topology.rules import filters_content, lets_through
from patchbay.topology.template import Resource, Template


def rule(pattern: dict[str, Any]) -> Resource:
    body = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}
    return Resource(Template("stack", {}), "Rule", body)


@pytest.mark.parametrize(
    ("pattern", "passes", "filtered"),
    [
        ({"source": ["gh.sensors"], "detail-type": ["ReadingTaken"]}, True, False),
        ({"source": ["gh.sensors"]}, True, False),
        ({"source": [{"prefix": "gh."}]}, True, False),
        ({"source": ["gh.alerts"]}, False, False),
        ({"detail-type": ["Readingtaken"]}, False, False),
        ({"source": ["gh.sensors"], "detail": {"data": {"items": [1]}}}, True, True),
        ({"source": ["gh.alerts"], "detail": {"data": {"items": [1]}}}, False, True),
        ({"detail": {"data": {"items": [1]}}}, True, True),
        ({"source": ["gh.sensors"], "account": [{"Ref": "AWS::AccountId"}]}, True, True),
        (
            {"$or": [{"source": ["gh.sensors"]}, {"source": ["gh.alerts"]}]},
            True,
            False,
        ),
        ({"$or": [{"source": ["gh.a"]}, {"source": ["gh.b"]}]}, False, False),
        ({"$or": [{"source": ["gh.a"]}, {"detail": {"data": {"items": [1]}}}]}, True, True),
        ({"source": [{"no-such-operator": 1}]}, False, False),
    ],
)
def test_a_rule_lets_events_through_by_source_and_type(
    pattern: dict[str, Any], passes: bool, filtered: bool
) -> None:
    assert lets_through(rule(pattern), "gh.sensors", "ReadingTaken") is passes
    assert filters_content(rule(pattern)) is filtered
