"""Does something once for an event, however often the event is delivered."""

import os
from collections.abc import Callable
from functools import cache

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

# Longer than any way back to the queue takes: 4 days in the queue, then 14 in the dead letters.
REMEMBERED_FOR = 30 * 24 * 60 * 60  # seconds


def once(event_id: str, action: Callable[[], None], context: LambdaContext) -> bool:
    """Run `action` unless it has already succeeded for that event; returns whether it ran.

    An attempt that raised is forgotten, so that the next one runs. One that never ended (its
    function timed out or crashed) holds the event until that function's time would be up: until
    then this raises Powertools' IdempotencyAlreadyInProgressError.
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


def at_least_once(_event_id: str, action: Callable[[], None], _context: LambdaContext) -> bool:
    """Run `action` whether or not it was run for that event: for what may as well be done twice."""
    action()
    return True


@cache
def _config() -> IdempotencyConfig:
    return IdempotencyConfig(expires_after_seconds=REMEMBERED_FOR, hash_function="sha256")


@cache
def _store() -> DynamoDBPersistenceLayer:
    # Its own would be made in a session of its own, which reads all of boto3's models again.
    client = boto3.client("dynamodb")
    return DynamoDBPersistenceLayer(os.environ["IDEMPOTENCY_TABLE"], boto3_client=client)
