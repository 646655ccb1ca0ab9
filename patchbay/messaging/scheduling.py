"""The decorator `scheduled`: it makes a function a Lambda handler for EventBridge Scheduler.

    @scheduled
    def handler(at: datetime) -> None: ...

`at` is the time at which the run was due, not the current time. A run that is late or repeated has
the same `at`, and the events that it publishes have the same ids.
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
    """The input of an invocation lacks the name of a schedule or the time of a run."""


def scheduled(function: Callable[[datetime], None]) -> ScheduledHandler:
    """Make `function` the handler of a schedule.

    If it raises, Lambda retries the run twice, and then sends it to the schedule's dead letters.
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
    """Return the schedule's name, and the time at which the run was due; raises NoSuchRun."""
    try:
        name, at = str(event["schedule"]), datetime.fromisoformat(event["at"])
    except (KeyError, TypeError, ValueError) as error:
        raise NoSuchRun(
            f"{event!r:.200} has no schedule or no valid time. EventBridge Scheduler passes "
            'both. To run one by hand, pass {"schedule": NAME, "at": "2026-01-31T03:00:00Z"}.'
        ) from error
    # EventBridge Scheduler's times are in UTC.
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
