"""Schedules, run by hand: on the local cloud, none runs correctly by itself.

MiniStack starts the functions of schedules, but ignores their time zones, and does not replace the
context attribute `<aws.scheduler.scheduled-time>` in their input. A run without
the time at which it was due fails with an error.
"""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from patchbay.errors import UserError
from patchbay.local.access import STAGE
from patchbay.local.cloud import LocalCloud
from patchbay.project.naming import named

DUE_AT = "<aws.scheduler.scheduled-time>"


EXAMPLE_TIME = "2026-01-31T03:00:00Z"


class RunFailed(UserError):
    """The schedule's function raised."""


def run_now(cloud: LocalCloud, name: str, at: datetime | None = None) -> None:
    """Run a schedule as if it was due at `at`, or now; raises RunFailed."""
    schedules = _schedules(cloud)
    schedule = schedules.get(named(STAGE, name))
    if schedule is None:
        raise RunFailed(
            f"There is no schedule {named(STAGE, name)}. The schedules are {sorted(schedules)}."
        )
    target = _target(cloud, schedule)
    due = (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = cloud.client("lambda").invoke(
        FunctionName=target["Arn"], Payload=target["Input"].replace(DUE_AT, due)
    )
    if "FunctionError" in answer:
        raise RunFailed(f"{name} failed: {answer['Payload'].read().decode()}")


def example_command(cloud: LocalCloud) -> str | None:
    """Return the AWS CLI command that runs the first schedule; None where there is none."""
    schedules = _schedules(cloud)
    if not schedules:
        return None
    target = _target(cloud, schedules[min(schedules)])
    function = target["Arn"].rpartition(":")[2]
    payload = target["Input"].replace(DUE_AT, EXAMPLE_TIME)
    return (
        f"aws lambda invoke --function-name {function} --payload {shlex.quote(payload)} "
        "--cli-binary-format raw-in-base64-out /dev/stdout"
    )


def _schedules(cloud: LocalCloud) -> dict[str, Any]:
    found = cloud.client("scheduler").list_schedules()["Schedules"]
    return {schedule["Name"]: schedule for schedule in found}


def _target(cloud: LocalCloud, schedule: Mapping[str, Any]) -> dict[str, Any]:
    target: dict[str, Any] = cloud.client("scheduler").get_schedule(
        Name=schedule["Name"], GroupName=schedule["GroupName"]
    )["Target"]
    return target
