"""Runs a schedule by hand, which on the local cloud is the only way in which one runs as it should.

MiniStack knows schedules, and starts their functions; but it reads no time zone, and gives a run
Scheduler's words as they are, such as `<aws.scheduler.scheduled-time>`, and no moment for them.
A run that does not know its time fails, and says so.
"""

from datetime import UTC, datetime

from demo.settings import STAGE
from patchbay.errors import UserError
from patchbay.local.cloud import LocalCloud
from patchbay.project.naming import named

DUE_AT = "<aws.scheduler.scheduled-time>"


class RunFailed(UserError):
    """The schedule's function raised."""


def run_now(cloud: LocalCloud, name: str, at: datetime | None = None) -> None:
    """Run a schedule, such as accounts-close, as for that moment; raises RunFailed."""
    scheduler = cloud.client("scheduler")
    found = {each["Name"]: each for each in scheduler.list_schedules()["Schedules"]}
    schedule = found.get(named(STAGE, name))
    if schedule is None:
        raise RunFailed(f"There is no schedule {named(STAGE, name)}: there are {sorted(found)}.")
    target = scheduler.get_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])[
        "Target"
    ]
    moment = (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = cloud.client("lambda").invoke(
        FunctionName=target["Arn"], Payload=target["Input"].replace(DUE_AT, moment)
    )
    if "FunctionError" in answer:
        raise RunFailed(f"{name} failed: {answer['Payload'].read().decode()}")
