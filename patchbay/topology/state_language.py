"""A checker of state machine definitions, in Amazon States Language with JSONata.

It requires more than AWS does: a failed Task must be retried, and must be caught or have a Comment
with the reason. The schema of a definition (fields, types, required fields) is left to cfn-lint,
which the guardrails run as well.

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
BACKOFF_FIELDS = (
    "IntervalSeconds",
    "BackoffRate",
    "MaxAttempts",
    "MaxDelaySeconds",
    "JitterStrategy",
)

State = Mapping[str, Any]


def problems(text: str, substitutions: Collection[str]) -> list[str]:
    """Return every mistake in a definition, one sentence each.

    `substitutions` are the names for which the template has a value.
    """
    try:
        # A placeholder may stand for a number, so it need not be in quotes.
        definition = json.loads(PLACEHOLDER.sub("0", text), object_pairs_hook=_once_each)
    except ValueError as error:
        return [f"It is not JSON: {error}."]
    if not isinstance(definition, Mapping) or not isinstance(definition.get("States"), Mapping):
        return []  # cfn-lint reports it
    return [
        *_placeholders(text, substitutions),
        *_machine(definition),
        *_paths(definition),
        *(
            f"The state {name} {problem}."
            for name, state in definition["States"].items()
            for problem in _state(state)
        ),
        *_expressions(definition, ""),
    ]


def max_seconds(task: State) -> float:
    """Return how long a Task takes at most: all its attempts, and the waits between them."""
    attempts, waits = 1, 0.0
    for retrier in task.get("Retry", []):
        retries = int(_number(retrier, "MaxAttempts", 3))
        wait, rate = _number(retrier, "IntervalSeconds", 1), _number(retrier, "BackoffRate", 2)
        longest = _number(retrier, "MaxDelaySeconds", float("inf"))
        attempts += retries
        waits += sum(min(wait * rate**number, longest) for number in range(retries))
    return attempts * _number(task, "TimeoutSeconds", 0) + waits


def _number(of: Mapping[str, Any], field: str, default: float) -> float:
    """Return a field's number, or the default; cfn-lint or JSONata reports another type."""
    value = of.get(field, default)
    return value if isinstance(value, int | float) else default


def targets(state: State) -> list[str]:
    """Return the states to which a state leads."""
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
        raise ValueError(f"{twice[0]!r} occurs twice")
    return dict(pairs)


def _placeholders(text: str, substitutions: Collection[str]) -> Iterator[str]:
    used = set(PLACEHOLDER.findall(text))
    for name in sorted(used - set(substitutions)):
        yield f"It uses ${{{name}}}, which has no value: add it to the substitutions."
    for name in sorted(set(substitutions) - used):
        yield f"It never uses ${{{name}}}: remove it from the substitutions."


def _machine(definition: State) -> Iterator[str]:
    if definition.get("QueryLanguage") != "JSONata":
        yield "Its QueryLanguage is not JSONata: set it."
    limit = definition.get("TimeoutSeconds")
    if not isinstance(limit, int):
        yield "It has no TimeoutSeconds: an execution could hang for a year, unseen."
        return
    tasks = [each for each in definition["States"].values() if each.get("Type") == "Task"]
    total = sum(max_seconds(task) for task in tasks)
    if total > limit:
        yield (
            f"Its TimeoutSeconds is {limit}, and all attempts of its Tasks take up to {total:.0f} "
            "s: an execution could time out before it has caught an error. Raise it."
        )


def _paths(definition: State) -> Iterator[str]:
    """Find each target that does not exist, and each state without a path from the start or to
    an end."""
    states: Mapping[str, State] = definition["States"]
    start = str(definition.get("StartAt"))
    if start not in states:
        return  # cfn-lint reports it
    for name, state in states.items():
        for target in targets(state):
            if target not in states:
                yield f"The state {name} leads to {target!r}, which does not exist."
    next_states = {
        name: {to for to in targets(state) if to in states} for name, state in states.items()
    }
    for name in sorted(states.keys() - _reached(next_states, {start})):
        yield f"The state {name} is never reached: have a state lead to it, or remove it."
    ends = {name for name, state in states.items() if _is_end(state)}
    previous = {name: {by for by, to in next_states.items() if name in to} for name in states}
    for name in sorted(states.keys() - _reached(previous, ends)):
        yield f"From the state {name}, no path leads to an end."


def _reached(next_states: Mapping[str, set[str]], start: set[str]) -> set[str]:
    reached, waiting = set(start), list(start)
    while waiting:
        new = next_states[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


def _is_end(state: State) -> bool:
    return state.get("Type") in TERMINAL or state.get("End") is True


def _state(state: State) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in TYPES:
        yield f"is of the type {kind!r}: use one of {', '.join(sorted(TYPES))}"
    if kind == "Choice" and "Default" not in state:
        yield "has no Default: an input that fits no choice would fail the execution"
    if kind == "Task":
        yield from _task(state)


def _task(task: State) -> Iterator[str]:
    if "TimeoutSeconds" not in task:
        yield "has no TimeoutSeconds: it would wait for an answer that is lost"
    yield from _order("Retry", task)
    yield from _order("Catch", task)
    retriers = task.get("Retry", [])
    if not any(_is_for_all(retrier) for retrier in retriers):
        yield "has no Retry for States.ALL: the first transient error would fail it"
    for retrier in retriers:
        missing = [field for field in BACKOFF_FIELDS if field not in retrier]
        if missing and retrier.get("MaxAttempts") != 0:
            yield (
                f"retries {', '.join(retrier.get('ErrorEquals', []))} without "
                f"{', '.join(missing)}: executions that fail together would retry together"
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
    """Find each expression that is not valid JSONata."""
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
            yield f"{path} is partly an expression: {{% and %}} must enclose all of it."
            return
        try:
            jsonata.Jsonata(value[2:-2].strip())
        except Exception as error:  # noqa: BLE001 - it raises many kinds
            yield f"{path} is not valid JSONata: {error}."
