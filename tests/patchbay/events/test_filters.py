"""Filters: the events that `where=` matches under AWS's rules, and the filters that it refuses."""

import json
from typing import Any, Literal

import pytest

from contracts.alerts import AlertCleared, AlertRaised
from contracts.sensors import ReadingTaken
from patchbay.events.event import Event
from patchbay.events.filters import (
    BadFilter,
    Test,
    above,
    at_least,
    at_most,
    below,
    between,
    equals,
    missing,
    none_of,
    one_of,
    prefix,
    selections,
    suffix,
)
from patchbay.topology.event_pattern import EventPattern


class Shipped(Event):
    """One field of each kind."""

    carrier: Literal["post", "bike"]
    weight: float
    fragile: bool
    tags: list[str]
    address: dict[str, str]
    note: str | None = None


def passes(field: str, test: Test, value: Any) -> bool:
    (selection,) = selections([Shipped], {field: test})
    pattern = EventPattern(json.dumps({"detail": selection.detail}))
    return pattern.matches(json.dumps({"detail": {"data": {field: value}}}))


@pytest.mark.parametrize(
    ("field", "test", "matching", "not_matching"),
    [
        ("weight", equals(0), [0, 0.0], [0.01, "0", None]),
        ("weight", one_of(1, 2.5), [1, 1.0, 2.5], [2, 1.5]),
        ("weight", at_least(100), [100, 100.01, 1e6], [99.99, 0]),
        ("weight", above(100), [100.01], [100]),
        ("weight", at_most(2), [2, -1], [2.01]),
        ("weight", below(2), [1.99], [2]),
        ("weight", between(2, 5), [2, 3.5, 5], [1.99, 5.01]),
        ("carrier", equals("post"), ["post"], ["Post", "bike"]),
        ("carrier", one_of("post", "bike"), ["post", "bike"], ["car"]),
        ("carrier", none_of("bike"), ["post"], ["bike"]),
        ("carrier", prefix("po"), ["post"], ["bike"]),
        ("carrier", suffix("ke"), ["bike"], ["post"]),
        ("fragile", equals(True), [True], [False, "true"]),
        ("tags", equals("new"), [["old", "new"]], [["old"], []]),
        ("note", missing(), [None], ["", "a note"]),
    ],
)
def test_a_filter_matches_as_aws_does(
    field: str, test: Test, matching: list[Any], not_matching: list[Any]
) -> None:
    assert [value for value in matching if not passes(field, test, value)] == []
    assert [value for value in not_matching if passes(field, test, value)] == []


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (
            {"celsus": at_least(1)},
            "A filter names the field 'celsus' of ReadingTaken, which has no such field. Did you "
            "mean 'celsius'? See contracts/sensors.py.",
        ),
        (
            {"sensor_id": at_least(100)},
            "The filter at_least(100) on 'sensor_id' of ReadingTaken can never match: the field "
            "holds string. See contracts/sensors.py.",
        ),
        (
            {"celsius": equals("0")},
            "The filter equals('0') on 'celsius' of ReadingTaken can never match: the field "
            "holds number. See contracts/sensors.py.",
        ),
        (
            {"celsius": missing()},
            "The filter missing() on 'celsius' of ReadingTaken can never match: the field "
            "holds number. See contracts/sensors.py.",
        ),
        (
            {AlertRaised: {"celsius": at_least(1)}},
            "The filter names AlertRaised, which is not in `on`.",
        ),
        (
            {ReadingTaken: {}, "celsius": at_least(1)},
            "A filter has fields as keys, or events and then fields. This one mixes the two.",
        ),
    ],
)
def test_a_filter_that_does_not_fit_the_contract_is_refused_with_the_reason(
    where: Any, sentence: str
) -> None:
    with pytest.raises(BadFilter) as error:
        selections([ReadingTaken], where)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "make",
    [
        lambda: between(5, 2),
        lambda: one_of(),
        lambda: at_least(5_000_000_001),
        lambda: at_least("100"),  # type: ignore[arg-type]
    ],
)
def test_a_condition_that_can_never_match_is_refused_at_once(make: Any) -> None:
    with pytest.raises((BadFilter, TypeError)):
        make()


def test_a_filter_is_checked_against_each_event() -> None:
    with pytest.raises(BadFilter, match="'celsius' of AlertCleared, which has no such field"):
        selections([ReadingTaken, AlertCleared], {"celsius": at_least(2)})


def test_an_event_with_its_own_filter_has_its_own_rule() -> None:
    found = selections(
        [AlertRaised, AlertCleared, ReadingTaken], {AlertRaised: {"celsius": above(50)}}
    )
    assert [(each.source, each.types, each.detail) for each in found] == [
        ("greenhouse.alerts", ("AlertRaised",), {"data": {"celsius": [{"numeric": [">", 50]}]}}),
        ("greenhouse.alerts", ("AlertCleared",), None),
        ("greenhouse.sensors", ("ReadingTaken",), None),
    ]


def test_without_a_filter_there_is_one_rule_for_each_source() -> None:
    found = selections([AlertRaised, AlertCleared, ReadingTaken], None)
    assert [(each.source, each.types) for each in found] == [
        ("greenhouse.alerts", ("AlertCleared", "AlertRaised")),
        ("greenhouse.sensors", ("ReadingTaken",)),
    ]
