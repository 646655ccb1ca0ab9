"""Idempotency: an event has its effect once, however often it is delivered."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

# Longer than until a redrive can be: 4 days in the queue, then 14 in the dead-letter queue.
REMEMBERED_FOR = 30 * 24 * 60 * 60  # seconds

Action = Callable[[], None]
# Runs an action for the event of that id; returns whether it ran.
Run = Callable[[str, Action, LambdaContext], bool]
_Handler = TypeVar("_Handler", bound=Callable[[Any], None])
_MARK = "naturally_idempotent"


class NoTable(Exception):
    """The stack has no idempotency table, and the handler is not marked naturally idempotent."""


def naturally_idempotent(function: _Handler) -> _Handler:
    """Mark a consumer's function whose effect is the same if an event is handled again.

    Its writes are conditional, or repeat the same values. It runs for every delivery, and no record
    of handled events is kept. Place it below `@consumer`, and set `naturally_idempotent=True` in
    the stack.
    """
    setattr(function, _MARK, True)
    return function


def run_for(function: Callable[[Any], None]) -> Run:
    """Return `once`, or `at_least_once` for a function that is naturally idempotent."""
    return at_least_once if getattr(function, _MARK, False) else once


def once(event_id: str, action: Action, context: LambdaContext) -> bool:
    """Run `action` unless it has already succeeded for that event; returns whether it ran.

    After an attempt that raised, the next one runs. An attempt that never ended, since its
    function timed out or crashed, blocks the event until the function's timeout has passed: until
    then, this raises Powertools' IdempotencyAlreadyInProgressError. Raises NoTable.
    """
    ran = False

    def run(event_id: str) -> None:
        nonlocal ran
        ran = True
        action()

    config = _config()
    config.register_lambda_context(context)
    idempotent_function(
        run,
        data_keyword_argument="event_id",
        persistence_store=_store(),
        config=config,
        key_prefix=os.environ["CONSUMER"],
    )(event_id=event_id)
    return ran


def at_least_once(_event_id: str, action: Action, _context: LambdaContext) -> bool:
    """Run `action`, even if it was run for that event before; returns True."""
    action()
    return True


@cache
def _config() -> IdempotencyConfig:
    return IdempotencyConfig(expires_after_seconds=REMEMBERED_FOR, hash_function="sha256")


@cache
def _store() -> DynamoDBPersistenceLayer:
    # Powertools would create a session of its own, which loads boto3's models a second time.
    client = boto3.client("dynamodb")
    return DynamoDBPersistenceLayer(_table_name(), boto3_client=client)


def _table_name() -> str:
    if name := os.environ.get("IDEMPOTENCY_TABLE"):
        return name
    raise NoTable(
        "the function has no IDEMPOTENCY_TABLE. Where the stack has naturally_idempotent=True or "
        "wire_tap, mark the handler with @naturally_idempotent."
    )
