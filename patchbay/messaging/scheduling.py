"""Turns a function of a moment into a Lambda handler that EventBridge Scheduler invokes.

    @scheduled
    def handler(at: datetime) -> None: ...

`at` is when the run was due, and not when it is running: a run that is late, or repeated, is the
run of that moment all the same, and what it publishes has the same ids again.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from patchbay.messaging.cause import Cause, caused_by
from patchbay.messaging.telemetry import logger, metrics

ScheduledHandler = Callable[[dict[str, Any], LambdaContext], None]


class NoSuchRun(ValueError):
    """The invocation does not say which schedule it is of, and for when."""


def scheduled(function: Callable[[datetime], None]) -> ScheduledHandler:
    """Make `function` what a schedule runs.

    What it raises brings the run back: Lambda tries twice more, and then leaves it among the
    schedule's dead letters.
    """

    @wraps(function)
    def handler(event: dict[str, Any], context: LambdaContext) -> None:
        name, at = _run_of(event)
        try:
            _run(function, name, at)
        finally:
            metrics().flush_metrics()

    return handler


def _run_of(event: Mapping[str, Any]) -> tuple[str, datetime]:
    """The schedule's name, and when it was due."""
    try:
        name, at = str(event["schedule"]), datetime.fromisoformat(event["at"])
    except (KeyError, TypeError, ValueError) as error:
        raise NoSuchRun(
            f"{event!r:.200} names no schedule and no moment. EventBridge Scheduler gives both; to "
            'run one by hand, give {"schedule": NAME, "at": "2026-01-31T03:00:00Z"}.'
        ) from error
    # Scheduler's times are UTC, and it says so.
    return name, at if at.tzinfo else at.replace(tzinfo=UTC)


def _run(function: Callable[[datetime], None], name: str, at: datetime) -> None:
    started = time.monotonic()
    run = f"{name}/{at.astimezone(UTC).isoformat()}"
    logger().clear_state()
    logger().append_keys(schedule=name, due_at=at.isoformat(), correlation_id=run)
    try:
        with caused_by(Cause(seed=run, correlation_id=run)):
            function(at)
    except Exception as failure:
        metrics().add_metric(name="Failed", unit=MetricUnit.Count, value=1)
        reason = f"{type(failure).__name__}: {failure}"
        logger().exception("failed", reason=reason, duration_ms=_ms_since(started))
        raise
    metrics().add_metric(name="Ran", unit=MetricUnit.Count, value=1)
    logger().info("ran", duration_ms=_ms_since(started))


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
