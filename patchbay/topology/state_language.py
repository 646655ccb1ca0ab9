"""Reads a state machine's definition, in Amazon States Language with JSONata, and finds mistakes.

It asks for more than AWS does: a Task that fails must be tried again, and be caught or say why not.
https://states-language.net, and "Transforming data with JSONata in Step Functions" in AWS's guide.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jsonata

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
TYPES = frozenset({"Task", "Choice", "Pass", "Wait", "Succeed", "Fail"})
TERMINAL = frozenset({"Succeed", "Fail"})
BACKS_OFF = ("IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds", "JitterStrategy")

State = Mapping[str, Any]


def problems(text: str, substitutions: Collection[str]) -> list[str]:
    """All that is wrong with a definition, a sentence each.

    `substitutions` are the names that the template gives a value.
    """
    try:
        # A placeholder may stand for a number, so it need not be in quotes.
        definition = json.loads(PLACEHOLDER.sub("0", text), object_pairs_hook=_once_each)
    except ValueError as error:
        return [f"It is no JSON: {error}."]
    if not isinstance(definition, Mapping) or not isinstance(definition.get("States"), Mapping):
        return ["It has no States."]
    return [
        *_placeholders(text, substitutions),
        *_machine(definition),
        *_ways(definition),
        *(
            f"The state {name} {problem}."
            for name, state in definition["States"].items()
            for problem in _state(state)
        ),
        *_expressions(definition, ""),
    ]


def seconds_of_trying(task: State) -> float:
    """How long a Task takes at most: its every attempt, and the waits between them."""
    attempts, waits = 1, 0.0
    for retrier in task.get("Retry", []):
        retries = retrier.get("MaxAttempts", 3)
        wait, rate = retrier.get("IntervalSeconds", 1), retrier.get("BackoffRate", 2.0)
        longest = retrier.get("MaxDelaySeconds", float("inf"))
        attempts += retries
        waits += sum(min(wait * rate**number, longest) for number in range(retries))
    return attempts * float(task.get("TimeoutSeconds", 0)) + waits


def targets(state: State) -> list[str]:
    """The states to which a state leads."""
    followers = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return [
        target
        for follower in followers
        for key in ("Next", "Default")
        if isinstance(target := follower.get(key), str)
    ]


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} is there twice")
    return dict(pairs)


def _placeholders(text: str, substitutions: Collection[str]) -> Iterator[str]:
    used = set(PLACEHOLDER.findall(text))
    for name in sorted(used - set(substitutions)):
        yield f"It uses ${{{name}}}, for which there is no value: add it to the substitutions."
    for name in sorted(set(substitutions) - used):
        yield f"It never uses ${{{name}}}: remove it from the substitutions."


def _machine(definition: State) -> Iterator[str]:
    if definition.get("QueryLanguage") != "JSONata":
        yield "It does not say that it is in JSONata: set its QueryLanguage."
    limit = definition.get("TimeoutSeconds")
    if not isinstance(limit, int):
        yield "It has no TimeoutSeconds: an execution that hangs would do so for a year, unseen."
        return
    tasks = [each for each in definition["States"].values() if each.get("Type") == "Task"]
    trying = sum(seconds_of_trying(task) for task in tasks)
    if trying > limit:
        yield (
            f"Its TimeoutSeconds are {limit}, and all its Tasks' attempts take up to {trying:.0f} "
            "s: an execution would be ended before what it catches is put right. Raise it."
        )


def _ways(definition: State) -> Iterator[str]:
    """Whether every way leads on to a state that there is, and in the end to an end."""
    states: Mapping[str, State] = definition["States"]
    start = str(definition.get("StartAt"))
    if start not in states:
        yield f"It starts at {start!r}, which is no state of it."
        return
    for name, state in states.items():
        for target in targets(state):
            if target not in states:
                yield f"The state {name} leads to {target!r}, which is no state of it."
    ways = {name: {to for to in targets(state) if to in states} for name, state in states.items()}
    for name in sorted(states.keys() - _reached(ways, {start})):
        yield f"The state {name} is never reached: have a state lead to it, or remove it."
    ends = {name for name, state in states.items() if _is_end(state)}
    backwards = {name: {by for by, to in ways.items() if name in to} for name in states}
    for name in sorted(states.keys() - _reached(backwards, ends)):
        yield f"From the state {name}, no way leads to an end."


def _reached(ways: Mapping[str, set[str]], start: set[str]) -> set[str]:
    reached, waiting = set(start), list(start)
    while waiting:
        new = ways[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


def _is_end(state: State) -> bool:
    return state.get("Type") in TERMINAL or state.get("End") is True


def _state(state: State) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in TYPES:
        yield f"is of the type {kind!r}: there are {', '.join(sorted(TYPES))}"
    elif kind == "Choice":
        if not state.get("Choices"):
            yield "has no Choices"
        if "Default" not in state:
            yield "has no Default: what fits no choice would fail the execution"
    elif kind not in TERMINAL and (state.get("End") is True) == ("Next" in state):
        yield "must have either Next or End, and has both or neither"
    if kind == "Task":
        yield from _task(state)


def _task(task: State) -> Iterator[str]:
    if not isinstance(task.get("Resource"), str):
        yield "names no Resource"
    if "TimeoutSeconds" not in task:
        yield "has no TimeoutSeconds: an answer that is lost would be waited for"
    yield from _order("Retry", task)
    yield from _order("Catch", task)
    retriers = task.get("Retry", [])
    if not any(_is_for_all(retrier) for retrier in retriers):
        yield "has no Retry for States.ALL: the first hiccup would fail it"
    for retrier in retriers:
        missing = [field for field in BACKS_OFF if field not in retrier]
        if missing and retrier.get("MaxAttempts") != 0:
            yield (
                f"tries again after {', '.join(retrier.get('ErrorEquals', []))} without "
                f"{', '.join(missing)}: executions that fail together would come back together"
            )
    if not any(_is_for_all(catcher) for catcher in task.get("Catch", [])) and not task.get(
        "Comment"
    ):
        yield "has no Catch for States.ALL: add one, or say in its Comment why it may fail"


def _order(field: str, task: State) -> Iterator[str]:
    rules = task.get(field, [])
    for position, rule in enumerate(rules, start=1):
        errors = rule.get("ErrorEquals", [])
        if not errors:
            yield f"has a {field} without ErrorEquals"
        if "States.ALL" in errors and (len(errors) > 1 or position < len(rules)):
            yield f"must have States.ALL alone, and last, in its {field}"


def _is_for_all(rule: State) -> bool:
    return "States.ALL" in rule.get("ErrorEquals", [])


def _expressions(value: Any, path: str) -> Iterator[str]:
    """What of the JSONata does not parse, or is no JSONata though it looks like it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key.endswith(".$"):
                yield f"{path}/{key} is JSONPath, and the machine's language is JSONata."
            if key != "Comment":
                yield from _expressions(item, f"{path}/{key}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _expressions(item, f"{path}/{position}")
    elif isinstance(value, str) and ("{%" in value or "%}" in value):
        if not (value.startswith("{%") and value.endswith("%}")):
            yield f"{path} is an expression in part: {{% and %}} must be around the whole of it."
            return
        try:
            jsonata.Jsonata(value[2:-2].strip())
        except Exception as error:  # noqa: BLE001 - whatever it says, it is no JSONata
            yield f"{path} is no JSONata: {error}."
