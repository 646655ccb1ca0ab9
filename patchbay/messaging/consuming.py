"""The decorator `consumer`: it makes a function of one event a Lambda handler of an SQS queue.

    @consumer
    def handler(reading: ReadingTaken) -> None: ...

The annotation is the subscription: an event, a union of events, or `AnyEvent` for all of them.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from patchbay.events.event import AnyEvent, Event, Metadata
from patchbay.messaging import claim_check, redelivery
from patchbay.messaging.cause import Cause, caused_by
from patchbay.messaging.errors import Reject
from patchbay.messaging.fifo_batch import InGroups
from patchbay.messaging.idempotency import run_for
from patchbay.messaging.telemetry import logger, metrics

LambdaHandler = Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]


@dataclass(frozen=True)
class Received:
    """An event that was received, with its metadata and its detail-type."""

    metadata: Metadata
    event: Event
    of_type: str


def consumer(function: Callable[[Any], None]) -> LambdaHandler:
    """Make `function` the handler of an SQS queue that holds EventBridge events.

    Each event is handled once, even if it is delivered twice, unless `function` is marked as
    `naturally_idempotent`. An exception concerns its own event only: `Reject` sends it to the
    dead-letter queue at once, with the reason; any other is retried after a backoff, until the
    queue's maximum receive count.

    Raises TypeError where the annotation of `function` names no event.
    """
    contracts = subscriptions(function)

    @wraps(function)
    def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        process = partial(_process, function=function, contracts=contracts, context=context)
        try:
            return process_partial_response(
                event=event,
                record_handler=process,
                processor=_processor(event),
                context=context,
            )
        finally:
            metrics().flush_metrics()

    return handler


def subscriptions(function: Callable[[Any], None]) -> dict[str, type[Event]]:
    """Return the events of a consumer function's annotation, by detail-type; raises TypeError."""
    hints = {name: kind for name, kind in get_type_hints(function).items() if name != "return"}
    if len(hints) != 1:
        raise TypeError(
            f"{function.__qualname__} takes {len(hints)} annotated parameters; a consumer takes "
            "one: its event, or a union of events."
        )
    (annotation,) = hints.values()
    is_union = get_origin(annotation) in (Union, UnionType)
    kinds = get_args(annotation) if is_union else (annotation,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Event)):
            raise TypeError(f"{function.__qualname__} takes {kind!r}, which is not an Event.")
    return {kind.detail_type(): kind for kind in kinds}


def _processor(event: Mapping[str, Any]) -> BatchProcessor:
    records = event.get("Records", [])
    if records and records[0]["eventSourceARN"].endswith(".fifo"):
        processor: BatchProcessor = InGroups()
    else:
        processor = BatchProcessor(event_type=EventType.SQS)
    # Report a batch in which every record failed as a partial failure too: an exception would undo
    # the backoff of each record.
    processor.raise_on_entire_batch_failure = False
    return processor


def _process(
    record: SQSRecord,
    *,
    function: Callable[[Any], None],
    contracts: Mapping[str, type[Event]],
    context: LambdaContext,
) -> None:
    started = time.monotonic()
    attempt = int(record.attributes.approximate_receive_count)
    logger().clear_state()
    logger().append_keys(message_id=record.message_id, attempt=attempt)
    try:
        try:
            _handle(_unwrap(record.body, contracts), function, context, started)
        except Reject as rejection:
            _reject(record, rejection, started)
    except Exception as failure:
        _retry_later(record, attempt, failure, started)
        raise


def _reject(record: SQSRecord, rejection: Reject, started: float) -> None:
    metrics().add_metric(name="Rejected", unit=MetricUnit.Count, value=1)
    logger().error("rejected", reason=str(rejection), duration_ms=_ms_since(started))
    redelivery.reject(record, rejection)


def _retry_later(record: SQSRecord, attempt: int, failure: Exception, started: float) -> None:
    delay = redelivery.delay_after(attempt)
    metrics().add_metric(name="Failed", unit=MetricUnit.Count, value=1)
    logger().warning(
        "failed",
        reason=f"{type(failure).__name__}: {failure}",
        retry_in_seconds=delay,
        duration_ms=_ms_since(started),
        # If another attempt is still running, there is no traceback.
        exc_info=not isinstance(failure, IdempotencyAlreadyInProgressError),
    )
    redelivery.change_visibility(record, delay)


def _unwrap(body: str, contracts: Mapping[str, type[Event]]) -> Received:
    """Return the event in an SQS message; raises Reject where it breaks its contract."""
    try:
        delivered = json.loads(body)
        detail_type = delivered["detail-type"]
        detail = delivered["detail"]
        metadata = Metadata.model_validate(detail["metadata"])
        if AnyEvent in contracts.values():
            return Received(metadata, _any_event(metadata, delivered), detail_type)
        contract = contracts.get(detail_type)
        if contract is None:
            raise Reject(
                f"{detail_type!r} is not one of this consumer's events: {', '.join(contracts)}"
            )
        if metadata.version > contract.version:
            raise Reject(
                f"{detail_type} version {metadata.version} is newer than version "
                f"{contract.version}, the one that this consumer knows"
            )
        data = (
            claim_check.claimed(metadata, delivered["source"], detail_type)
            if metadata.claim
            else detail["data"]
        )
        return Received(metadata, contract.model_validate(data), detail_type)
    except ValidationError as error:
        raise Reject(f"breaks its contract: {_problems(error)}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Reject(f"is not a valid event: {type(error).__name__}: {error}") from error


def _any_event(metadata: Metadata, delivered: Mapping[str, Any]) -> AnyEvent:
    return AnyEvent(
        metadata=metadata,
        from_source=delivered["source"],
        of_type=delivered["detail-type"],
        data=delivered["detail"].get("data") or {},
    )


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(step) for step in problem['loc']) or error.title}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    )


def _handle(
    received: Received, function: Callable[[Any], None], context: LambdaContext, started: float
) -> None:
    metadata, event = received.metadata, received.event
    logger().append_keys(
        correlation_id=metadata.correlation_id,
        event_id=str(metadata.id),
        event_type=received.of_type,
    )
    cause = Cause(
        # Two consumers may publish the same type for one event: their ids have to differ.
        seed=f"{metadata.id}/{os.environ['CONSUMER']}",
        correlation_id=metadata.correlation_id,
        causation_id=metadata.id,
        handled=metadata,
    )
    with caused_by(cause):
        run = run_for(function)
        first_time = run(str(metadata.id), partial(function, event), context)
    age = max(datetime.now(UTC) - metadata.published_at, timedelta(0)) / timedelta(milliseconds=1)
    if first_time:
        metrics().add_metric(name="Handled", unit=MetricUnit.Count, value=1)
        metrics().add_metric(name="Age", unit=MetricUnit.Milliseconds, value=age)
    else:
        metrics().add_metric(name="Repeated", unit=MetricUnit.Count, value=1)
    logger().info(
        "handled" if first_time else "already handled",
        age_ms=round(age, 1),
        duration_ms=_ms_since(started),
    )


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
