"""EventPattern agrees with AWS's own matcher, in recorded verdicts and in general properties."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from patchbay.topology.event_pattern import EventPattern, InvalidEventPattern

VERDICTS = [
    json.loads(line)
    for line in (Path(__file__).parent / "event_patterns.jsonl").read_text().splitlines()
]
# The line of each edge case with another result, and the reason. There is none.
ACCEPTED: dict[int, str] = {}

TEXTS = st.text(st.characters(exclude_characters=".:"), max_size=8)  # no IP addresses
NUMBERS = st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9).map(lambda number: round(number, 4))
LEAVES = TEXTS | NUMBERS | st.booleans() | st.none()
EVENTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=8,
    ),
)
VALUES = (
    LEAVES
    | TEXTS.map(lambda text: {"prefix": text})
    | TEXTS.map(lambda text: {"anything-but": text})
    | st.booleans().map(lambda exists: {"exists": exists})
    | NUMBERS.map(lambda number: {"numeric": [">", number]})
)
PATTERNS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        st.lists(VALUES, min_size=1, max_size=3),
        lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
        max_leaves=5,
    ),
    min_size=1,
)


def verdict(pattern: str, event: str) -> bool | None:
    try:
        return EventPattern(pattern).matches(event)
    except InvalidEventPattern:
        return None


def matches(wanted: list[Any], value: Any) -> bool:
    """Return whether a field with this value matches."""
    return EventPattern(json.dumps({"x": wanted})).matches(json.dumps({"x": value}))


def refusal(pattern: Any) -> str:
    with pytest.raises(InvalidEventPattern) as refused:
        EventPattern(pattern if isinstance(pattern, str) else json.dumps(pattern))
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "case"),
    [
        pytest.param(line, case, id=f"{case['category']}-{line}")
        for line, case in enumerate(VERDICTS, start=1)
        if line not in ACCEPTED
    ],
)
def test_the_verdict_is_that_of_awss_own_matcher(line: int, case: dict[str, Any]) -> None:
    assert verdict(case["pattern"], case["event"]) is case["match"]


def test_no_verdict_on_a_common_case_differs() -> None:
    cases = Counter(case["tier"] for case in VERDICTS)
    agreed = Counter(
        case["tier"]
        for case in VERDICTS
        if verdict(case["pattern"], case["event"]) is case["match"]
    )
    assert cases == {"common": 596, "edge": 1281}
    assert agreed["common"] == cases["common"]
    assert agreed["edge"] == cases["edge"] - len(ACCEPTED)
    assert agreed["edge"] >= 0.98 * cases["edge"]


# Properties: any text, any order, any layout.


@given(st.text() | PATTERNS.map(json.dumps))
@example("[" * 100_000)
@example('{"a":' * 100_000)
@example('{"a": [' + "9" * 5000 + "]}")
@example('{"a": [{"numeric": ["=", 1e' + "9" * 30 + "]}]}")
@example('{"a": [1e-' + "9" * 30 + "]}")
@example('{"a": [{"cidr": "10.0.0.0/' + "9" * 5000 + '"}]}')
@example('{"\\ud800": [{"\\udfff": "\\ud800"}]}')
@example('{"a": [{"wildcard": "\\ud800*("}, {"equals-ignore-case": "[\\udfff"}]}')
@example('{"$or": [' * 5000)
def test_a_text_is_a_pattern_or_is_refused(text: str) -> None:
    with suppress(InvalidEventPattern):
        EventPattern(text)


@given(LEAVES, st.lists(LEAVES, min_size=1))
def test_a_value_matches_iff_it_is_in_the_list(value: Any, values: list[Any]) -> None:
    same = [wanted for wanted in values if wanted == value]
    among = any(isinstance(wanted, bool) is isinstance(value, bool) for wanted in same)
    assert matches(values, value) is among
    assert matches([*values, value], value)


@given(LEAVES, st.lists(TEXTS, min_size=1) | st.lists(NUMBERS, min_size=1))
def test_anything_but_is_the_complement_of_its_list(value: Any, values: list[Any]) -> None:
    assert matches([{"anything-but": values}], value) is not matches(values, value)


@given(
    st.sampled_from(["prefix", "suffix", "equals-ignore-case", "wildcard"]),
    st.lists(st.text("abAB", min_size=1, max_size=3), min_size=1),
    LEAVES | st.text("abAB"),
)
def test_anything_but_an_operator_is_its_complement(
    operator: str, texts: list[str], value: Any
) -> None:
    excluded = matches([{operator: text} for text in texts], value)
    assert matches([{"anything-but": {operator: texts}}], value) is not excluded


@given(st.text("ab*", max_size=6).filter(lambda text: "**" not in text), st.text("ab", max_size=8))
def test_a_wildcard_matches_what_it_can_be_filled_in_to(wildcard: str, value: str) -> None:
    def fills(pattern: str, text: str) -> bool:
        if not pattern or pattern[0] != "*":
            head = bool(pattern) and bool(text) and pattern[0] == text[0]
            return fills(pattern[1:], text[1:]) if head else pattern == text
        return any(fills(pattern[1:], text[at:]) for at in range(len(text) + 1))

    assert matches([{"wildcard": wildcard}], value) is fills(wildcard, value)


@given(PATTERNS, EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_fields_changes_nothing(pattern: Any, event: Any, random: Any) -> None:
    def shuffled(node: Any) -> Any:
        if isinstance(node, list):
            return [shuffled(item) for item in node]
        if not isinstance(node, dict):
            return node
        pairs = [(name, shuffled(value)) for name, value in node.items()]
        random.shuffle(pairs)
        return dict(pairs)

    before = verdict(json.dumps(pattern), json.dumps(event))
    assert verdict(json.dumps(shuffled(pattern)), json.dumps(shuffled(event))) is before


@given(PATTERNS, EVENTS)
def test_the_layout_of_the_json_changes_nothing(pattern: Any, event: Any) -> None:
    before = verdict(json.dumps(pattern), json.dumps(event))
    loose = json.dumps(pattern, indent=2, ensure_ascii=False)
    tight = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    assert verdict(f"\n\t{loose}\r\n", f" {tight} ") is before


@given(PATTERNS, EVENTS)
def test_a_new_field_changes_nothing_for_a_pattern_without_it(pattern: Any, event: Any) -> None:
    before = verdict(json.dumps(pattern), json.dumps(event))
    assert verdict(json.dumps(pattern), json.dumps({**event, "new": [{"a": 1}]})) is before


# Values.


@pytest.mark.parametrize("number", ["100", "100.0", "1e2", "1E+2", "1000e-1"])
@pytest.mark.parametrize("wanted", ["[100]", '[{"numeric": ["=", 100.0]}]', "[1.0e2]"])
def test_a_number_matches_by_value_and_not_by_its_spelling(number: str, wanted: str) -> None:
    assert EventPattern(f'{{"x": {wanted}}}').matches(f'{{"x": {number}}}')


def test_zero_has_no_sign() -> None:
    assert EventPattern('{"x": [0]}').matches('{"x": -0.0}')
    assert EventPattern('{"x": [{"anything-but": -0}]}').matches('{"x": 0}') is False


def test_a_number_that_no_double_holds_matches_its_own_spelling_only() -> None:
    pattern = EventPattern('{"x": [9007199254740993]}')
    assert pattern.matches('{"x": 9007199254740993}')
    assert not pattern.matches('{"x": 9007199254740993.0}')
    assert not pattern.matches('{"x": 9007199254740992}')
    assert "9007199254740993" in refusal('{"x": [{"numeric": [">", 9007199254740993]}]}')


@pytest.mark.parametrize(("wanted", "value"), [("1", 1), (1, True), ("true", True), ("null", None)])
def test_values_of_different_kinds_are_never_equal(wanted: Any, value: Any) -> None:
    assert matches([value], value)
    assert not matches([wanted], value)
    assert not matches([value], wanted)


def test_a_range_takes_its_ends_as_it_says() -> None:
    taken = [value for value in range(5) if matches([{"numeric": [">", 1, "<=", 3]}], value)]
    assert taken == [2, 3]
    assert not matches([{"numeric": [">", 1]}], "2")


def test_case_is_ignored_character_by_character() -> None:
    assert matches([{"equals-ignore-case": "Straße"}], "STRASSE")
    assert not matches([{"equals-ignore-case": "STRASSE"}], "Straße")
    assert matches([{"suffix": {"equals-ignore-case": ".PNG"}}], "a.png")
    assert matches([{"prefix": {"equals-ignore-case": "É"}}], "été")
    assert not matches([{"prefix": "É"}], "été")


def test_a_character_of_two_utf_16_units_is_corrupted_where_case_is_ignored() -> None:
    assert matches(["🎵"], "🎵")
    assert not matches([{"equals-ignore-case": "🎵"}], "🎵")


def test_an_escaped_star_and_backslash_stand_for_themselves() -> None:
    assert matches([{"wildcard": r"\**\\"}], "*ab\\")
    assert not matches([{"wildcard": r"\**\\"}], "xab\\")


def test_a_line_break_is_a_character_like_any_other() -> None:
    assert matches([{"prefix": "a"}], "a\n")
    assert matches([{"wildcard": "a*b*c"}], "a\nb\nc")
    assert not matches([{"suffix": "a"}], "a\n")


def test_a_wildcard_of_many_stars_is_quick_to_fail() -> None:
    assert not matches([{"wildcard": "*a" * 30 + "b"}], "a" * 20_000)


def test_a_string_that_is_an_address_matches_it_in_every_spelling() -> None:
    assert matches(["2001:db8::1"], "2001:0DB8:0:0:0:0:0:1")
    assert matches(["10.0.0.1"], "10.0.0.01")
    assert matches(["10.0.0.1"], "::ffff:a00:1")
    assert not matches([{"exactly": "10.0.0.1"}], "10.0.0.01")
    assert matches([{"anything-but": "10.0.0.1"}], "10.0.0.01")
    assert matches(["12:30"], "12:30")


@pytest.mark.parametrize(
    ("block", "inside", "outside"),
    [
        ("10.0.0.77/24", ["10.0.0.0", "10.0.0.255"], ["10.0.1.0", "9.255.255.255", "10.0.0"]),
        ("10.0.0.9/31", ["10.0.0.8", "10.0.0.9"], ["10.0.0.7", "10.0.0.10"]),
        ("2001:db8::/33", ["2001:DB8::", "2001:db8:7fff::1"], ["2001:db8:8000::", "localhost"]),
    ],
)
def test_a_block_holds_its_addresses(block: str, inside: list[str], outside: list[str]) -> None:
    assert all(matches([{"cidr": block}], address) for address in inside)
    assert not any(matches([{"cidr": block}], address) for address in outside)


def test_an_ipv4_address_is_compared_with_the_beginning_of_an_ipv6_block() -> None:
    assert matches([{"cidr": "2000::/4"}], "32.1.13.184")
    assert not matches([{"cidr": "::/1"}], "127.255.255.255")
    assert not matches([{"cidr": "2001:db8::/64"}], "32.1.13.184")
    assert matches([{"cidr": "32.0.0.0/8"}], "2001:db8::1")


def test_addresses_are_read_as_loosely_as_java_reads_them() -> None:
    for block in ("10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8/", "10.0.0.0/-0"):
        assert not matches([{"cidr": block}], "localhost"), block
    assert matches([{"cidr": "10.0.0.0/+08/"}], "10.1.1.1")
    assert matches(["10.0.0.1"], "000000010.0.0.1")
    assert not matches(["10.0.0.1"], "0000000010.0.0.1")  # longer than an address can be
    refusal({"x": [{"cidr": "10.0.0.0/-1"}]})


# Structure.


def test_what_exists_is_a_leaf() -> None:
    assert matches([{"exists": True}], None)
    assert matches([{"exists": True}], [[0]])
    nothing: list[Any] = [{"y": 1}, [], {}, [{}]]
    assert not any(matches([{"exists": True}], each) for each in nothing)
    assert all(matches([{"exists": False}], each) for each in nothing)


def test_absence_is_an_alternative_like_any_other() -> None:
    pattern = EventPattern('{"x": [{"exists": false}, "a"]}')
    assert pattern.matches("{}")
    assert pattern.matches('{"x": "a"}')
    assert not pattern.matches('{"x": "b"}')


def test_any_element_of_an_array_will_do() -> None:
    assert matches(["b"], ["a", ["b"]])
    assert matches([{"anything-but": "a"}], ["a", "b"])


def test_fields_are_found_in_the_same_element_of_an_array() -> None:
    pattern = EventPattern('{"people": {"name": ["Ann"], "age": [30]}}')
    assert pattern.matches('{"people": [{"name": "Bob"}, {"name": "Ann", "age": 30}]}')
    assert not pattern.matches('{"people": [{"name": "Ann", "age": 20}, {"age": 30}]}')


def test_elements_must_agree_through_all_depths_of_arrays() -> None:
    pattern = EventPattern('{"a": {"x": [1], "b": {"y": [2], "z": [3]}}}')
    assert pattern.matches('{"a": [{"x": 1, "b": [{"y": 0}, {"y": 2, "z": 3}]}]}')
    assert not pattern.matches('{"a": [{"x": 1, "b": [{"y": 2}, {"z": 3}]}]}')
    assert not pattern.matches('{"a": [{"x": 1}, {"b": {"y": 2, "z": 3}}]}')


def test_a_plain_value_in_an_array_binds_no_element() -> None:
    assert EventPattern('{"a": ["x"], "a.b": [1]}').matches('{"a": ["x", {"b": 1}]}')


def test_absence_is_tested_in_the_element_that_the_fields_before_it_matched() -> None:
    event = '{"a": [{"m": 1}, {"m": 2, "b": 1, "z": 1}]}'
    assert EventPattern('{"a": {"m": [1], "z": [{"exists": false}]}}').matches(event)
    assert not EventPattern('{"a": {"m": [2], "z": [{"exists": false}]}}').matches(event)
    assert not EventPattern('{"a": {"b": [{"exists": false}], "m": [1]}}').matches(event)


def test_fields_are_matched_in_alphabetical_order() -> None:
    event = '{"a": [{"m": 1}, {"m": 2, "z": 1}]}'
    assert EventPattern('{"a": {"z": [{"exists": false}], "m": [1]}}').matches(event)


def test_thousands_of_elements_that_nearly_match_are_quick() -> None:
    pattern = EventPattern('{"a": {"x": [1], "y": [2], "z": [3]}}')
    assert not pattern.matches(json.dumps({"a": [{"x": 1, "y": 2, "z": 0}] * 5000}))


def test_a_dot_in_a_name_is_as_good_as_nesting() -> None:
    for pattern in ('{"a.b": ["x"]}', '{"a": {"b": ["x"]}}'):
        assert EventPattern(pattern).matches('{"a.b": "x"}')
        assert EventPattern(pattern).matches('{"a": {"b": "x"}}')


def test_a_name_given_twice_counts_last_in_a_pattern_and_twice_in_an_event() -> None:
    assert not EventPattern('{"x": ["a"], "x": ["b"]}').matches('{"x": "a"}')
    assert EventPattern('{"x": ["a"]}').matches('{"x": "a", "x": "b"}')
    both = EventPattern('{"d": {"x": ["a"]}, "d": {"y": ["b"]}}')
    assert both.matches('{"d": {"x": "a"}, "d": {"y": "b"}}')
    assert not both.matches('{"d": {"y": "b"}}')


def test_one_branch_of_an_or_is_enough_with_all_fields_beside_it() -> None:
    pattern = EventPattern('{"s": ["x"], "$or": [{"a": [1]}, {"$or": [{"b": [2]}, {"c": [3]}]}]}')
    assert pattern.matches('{"s": "x", "c": 3}')
    assert pattern.matches('{"s": "x", "a": 1}')
    assert not pattern.matches('{"s": "x"}')
    assert not pattern.matches('{"a": 1}')


def test_the_later_test_of_a_field_counts_also_with_an_or() -> None:
    pattern = EventPattern('{"x": ["a"], "$or": [{"x": ["b"]}, {"y": [1]}]}')
    assert pattern.matches('{"x": "b"}')
    assert not pattern.matches('{"x": "a"}')
    assert pattern.matches('{"x": "a", "y": 1}')


def test_an_invalid_or_is_a_field_of_that_name() -> None:
    assert EventPattern('{"$or": {"x": ["a"]}}').matches('{"$or": {"x": "a"}}')
    assert EventPattern('{"$or": [{"prefix": "a"}, "b"]}').matches('{"$or": "abc"}')


def test_ors_may_multiply_up_to_a_thousand() -> None:
    branches = [{f"a{n}": [1]} for n in range(10)]
    tens = [{"$or": branches, "x": {"$or": branches, "y": {"$or": branches}}}]
    EventPattern(json.dumps(tens[0]))
    assert "1000" in refusal({**tens[0], "z": {"$or": branches[:2]}})


def test_a_pattern_asks_for_256_fields_at_most() -> None:
    fields = {f"a{number}": [1] for number in range(256)}
    EventPattern(json.dumps(fields))
    assert "256" in refusal({**fields, "one-more": [1]})


def test_a_field_of_the_event_that_is_absent_matches_no_value() -> None:
    assert not EventPattern('{"detail": {"x": [{"anything-but": "a"}]}}').matches("{}")


# JSON.


def test_what_follows_the_object_is_not_read() -> None:
    assert EventPattern('{"x": [1]} {').matches('{"x": 1} trailing')


@pytest.mark.parametrize(
    "event",
    [
        *("", "[1]", '"x"', '{"x": 01}', '{"x": NaN}', '{"y": tru}', '{"x": "\n"}'),
        *('{"x": ' + "[" * 99_999, "\xa0{}"),
    ],
    ids=lambda event: ascii(event[:12]),
)
def test_an_event_that_is_no_json_object_is_an_error(event: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        EventPattern('{"x": [1]}').matches(event)


@pytest.mark.parametrize(
    "text", ["", "[]", "{'x': [1]}", '{"x": [1,]}', '{"x": [NaN]}', '{"x": [01]}', '{"x": ["\n"]}']
)
def test_a_pattern_that_is_no_json_object_is_refused(text: str) -> None:
    assert "JSON" in refusal(text)


# Refusals.


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("credit", '"credit" must be in a list: ["credit"]'),
        ([], "empty list"),
        ({}, "empty object"),
        ([["a"]], "another list"),
        ([{}], "exactly one operator"),
        ([{"prefix": "a", "suffix": "b"}], "exactly one operator"),
        ([{"prefx": "a"}], 'did you mean "prefix"?'),
        ([{"Prefix": "a"}], 'did you mean "prefix"?'),
        ([{"prefix-ignore-case": "a"}], "there is no operator"),
        ([{"prefix": 1}], "prefix takes a string, not 1"),
        ([{"prefix": {"wildcard": "a"}}], '"equals-ignore-case"'),
        ([{"suffix": ["a"]}], "not a list"),
        ([{"exists": "true"}], "true or false"),
        ([{"wildcard": "a**"}], "a * can't follow another"),
        ([{"wildcard": r"a\b"}], "must be followed by"),
        ([{"anything-but": []}], "strings or numbers"),
        ([{"anything-but": ["a", 1]}], "strings or numbers"),
        ([{"anything-but": None}], "strings or numbers"),
        ([{"anything-but": {"prefix": ""}}], "empty prefix"),
        ([{"anything-but": {"numeric": ["=", 1]}}], 'takes no "numeric"'),
        ([{"anything-but": {"wildcard": ["a", 1]}}], "wildcard takes a string, not 1"),
        ([{"numeric": []}], "numeric takes a list such as"),
        ([{"numeric": [">", "1"]}], "numeric takes a list such as"),
        ([{"numeric": ["<", 1, ">", 0]}], "numeric takes a list such as"),
        ([{"numeric": ["!=", 1]}], "numeric takes a list such as"),
        ([{"numeric": [">", 2, "<", 1]}], "no range goes from 2 to 1"),
        ([{"numeric": [">=", 1, "<=", 1]}], "no range goes from 1 to 1"),
        ([{"cidr": "10.0.0.0/32"}], "no block of IP addresses"),
        ([{"cidr": "10.0.0.256/8"}], "no block of IP addresses"),
        ([{"cidr": 8}], "no block of IP addresses"),
    ],
)
def test_a_refusal_names_the_place_and_the_remedy(wanted: Any, message: str) -> None:
    sentence = refusal({"source": ["greenhouse.orders"], "detail": {"amount": wanted}})
    assert sentence.startswith("detail.amount: ")
    assert sentence.endswith(".")
    assert message in sentence


def test_a_refusal_inside_an_or_names_the_field_in_the_event() -> None:
    branches = [{"type": [{"prefx": "a"}]}, {"loc": ["NY"]}]
    assert refusal({"detail": {"$or": branches}}).startswith("detail.type: ")
    assert refusal({"detail": {"$or": branches[1:]}}).startswith("detail.$or: ")
    assert refusal({"$or": [{"numeric": ["<"]}, {"a": [1]}]}).startswith("numeric: ")


def test_a_pattern_is_its_text_and_cannot_be_changed() -> None:
    pattern = EventPattern('{"x": [1]}')
    assert repr(pattern) == "EventPattern(text='{\"x\": [1]}')"
    assert pattern == EventPattern('{"x": [1]}')
    assert len({pattern, EventPattern('{"x": [1]}')}) == 1
    with pytest.raises(AttributeError):
        pattern.text = "{}"  # type: ignore[misc]


def test_a_refusal_can_be_written_anywhere() -> None:
    assert refusal('{"\\ud800": 1}').encode() == b"\\ud800: 1 must be in a list: [1]."
