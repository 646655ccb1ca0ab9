"""An event has its effect once, however often it is delivered."""

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

# Longer than any way back to the queue takes: 4 days in the queue, then 14 in the dead letters.
REMEMBERED_FOR = 30 * 24 * 60 * 60  # seconds

Action = Callable[[], None]
# How a handler is run for an event, given the event's id: returns whether it was run.
Run = Callable[[str, Action, LambdaContext], bool]
_Handler = TypeVar("_Handler", bound=Callable[[Any], None])
_MARK = "naturally_idempotent"


class NoTable(Exception):
    """The stack takes a handler for naturally idempotent that does not say that it is."""


def naturally_idempotent(function: _Handler) -> _Handler:
    """Mark a consumer's function as one whose effect is the same if an event is handled again.

    Then nothing is noted of what it has handled, and it runs each time: its writes are conditional,
    or write the same again. Below `@consumer`; its stack says `naturally_idempotent=True`.
    """
    setattr(function, _MARK, True)
    return function


def run_for(function: Callable[[Any], None]) -> Run:
    """How a consumer's function is to be run: `once`, unless it may as well be run again."""
    return at_least_once if getattr(function, _MARK, False) else once


def once(event_id: str, action: Action, context: LambdaContext) -> bool:
    """Run `action` unless it has already succeeded for that event; returns whether it ran.

    An attempt that raised is forgotten, so that the next one runs. One that never ended (its
    function timed out or crashed) holds the event until that function's time would be up: until
    then this raises Powertools' IdempotencyAlreadyInProgressError. Raises NoTable.
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
    """Run `action` whether or not it was run for that event; returns that it ran."""
    action()
    return True


@cache
def _config() -> IdempotencyConfig:
    return IdempotencyConfig(expires_after_seconds=REMEMBERED_FOR, hash_function="sha256")


@cache
def _store() -> DynamoDBPersistenceLayer:
    # Its own would be made in a session of its own, which reads all of boto3's models again.
    client = boto3.client("dynamodb")
    return DynamoDBPersistenceLayer(_table_name(), boto3_client=client)


def _table_name() -> str:
    if name := os.environ.get("IDEMPOTENCY_TABLE"):
        return name
    raise NoTable(
        "there is no IDEMPOTENCY_TABLE to note in what was handled: where the stack says "
        "naturally_idempotent=True, or wire_tap, the handler has to be marked @naturally_idempotent"
    )
