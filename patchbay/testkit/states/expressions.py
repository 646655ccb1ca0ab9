"""JSONata expressions in Step Functions: "Transforming data with JSONata" in its guide.

The language is from jsonata-python. This module adds the functions and limits of Step Functions.
"""

import hashlib
import json
import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from jsonata import Jsonata
from jsonata.utils import Utils

from patchbay.testkit.clock import Clock
from patchbay.testkit.errors import NotInTheKit

ALGORITHMS = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}
Variables = Mapping[str, Any]


class EvaluationFailed(Exception):
    """An expression raised or returned nothing: States.QueryEvaluationError."""


class Evaluator:
    """The evaluator of one execution's expressions."""

    def __init__(self, chance: random.Random, clock: Clock) -> None:
        self._functions = {
            name: Jsonata.JLambda(function)
            for name, function in {
                "hash": _hash,
                "millis": lambda: round(clock.now * 1000),
                "now": lambda *picture: _timestamp(clock.now, picture),
                "parse": json.loads,
                "partition": _partition,
                "random": lambda *seed: (random.Random(seed[0]) if seed else chance).random(),
                "range": _range,
                "uuid": lambda: str(UUID(int=chance.getrandbits(128), version=4)),
            }.items()
        }

    def evaluate(self, value: Any, states: Mapping[str, Any], variables: Variables) -> Any:
        """Return the value with its expressions evaluated. Raise EvaluationFailed."""
        if isinstance(value, Mapping):
            return {key: self.evaluate(item, states, variables) for key, item in value.items()}
        if isinstance(value, list):
            return [self.evaluate(item, states, variables) for item in value]
        if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
            return self._expression(value[2:-2].strip(), states, variables)
        return value

    def _expression(self, text: str, states: Mapping[str, Any], variables: Variables) -> Any:
        bindings = {
            name: Utils.NULL_VALUE if value is None else value for name, value in variables.items()
        }
        bindings |= {**self._functions, "states": states}
        try:
            # Without an input: a state's input is only at $states.input.
            found = _compiled(text).evaluate(None, bindings)
            is_there = found is not None or _compiled(f"$exists(({text}))").evaluate(None, bindings)
        except NotInTheKit:
            raise
        except Exception as error:
            raise EvaluationFailed(f"The JSONata expression '{text}' threw: {error}") from error
        if not is_there:
            raise EvaluationFailed(f"The JSONata expression '{text}' returned nothing (undefined).")
        # The result may share objects with the input; the next state gets a copy, as JSON.
        return json.loads(json.dumps(found))


@cache
def _compiled(text: str) -> Jsonata:
    if "$eval(" in text:
        raise NotInTheKit(f"Step Functions does not support $eval: {text}")
    return Jsonata(text)


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(ALGORITHMS[algorithm], text.encode()).hexdigest()


def _timestamp(now: float, picture: tuple[Any, ...]) -> str:
    if any(each is not None for each in picture):
        raise NotInTheKit("The kit supports $now without a picture only.")
    moment = datetime.fromtimestamp(now, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _partition(items: list[Any], size: float) -> list[list[Any]]:
    step = math.floor(size)
    return [items[start : start + step] for start in range(0, len(items), step)]


def _range(first: float, last: float, step: float) -> list[int]:
    by = math.floor(step)
    return list(range(math.floor(first), math.floor(last) + (1 if by > 0 else -1), by))
