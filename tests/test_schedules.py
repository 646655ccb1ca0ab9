"""Schedules: they run when they are due, are identified by their time, and fail to dead letters."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchbay.testkit.delivery.cron import expression
from patchbay.testkit.errors import NotDeployable
from patchbay.testkit.faults import CrashesAfterEffect, Throttled
from patchbay.testkit.templates import Templates
from tests.shop import Shop

CLOSE = "accounts-close"
Change = Callable[[dict[str, Any]], object]


def days(cloud: Shop) -> list[str]:
    return [event.data["day"] for event in cloud.published("DayClosed")]


def test_a_day_is_closed_in_the_following_night_with_all_its_bookings(cloud: Shop) -> None:
    cloud.advance(hours=4)
    for amount in ("11.77", "29.33", "0"):
        cloud.place_order(amount=amount)
    cloud.advance(days=1)
    closed = cloud.published("DayClosed")[-1]
    assert closed.data == {
        "day": "2026-01-01",
        "payments": 3,
        "taken": 41.1,
        "refunded": 0,
        "gifts": 1,
    }
    assert closed.source == "shop.accounts"
    assert datetime.fromtimestamp(closed.at, UTC) == datetime(2026, 1, 2, 3, tzinfo=UTC)


def test_a_schedule_runs_whenever_it_is_due_and_does_not_prevent_settling(
    cloud: Shop,
) -> None:
    cloud.settle()
    assert cloud.now == cloud.start
    cloud.advance(days=3)
    assert days(cloud) == ["2025-12-31", "2026-01-01", "2026-01-02"]


def test_a_run_that_is_repeated_publishes_the_same_event_again(cloud: Shop) -> None:
    cloud.break_(CLOSE, with_=CrashesAfterEffect(), times=1)
    cloud.advance(days=1)
    first, second = cloud.published("DayClosed")
    assert first.id == second.id


def test_a_run_that_fails_is_retried_after_one_and_two_minutes(cloud: Shop) -> None:
    """From "How Lambda handles errors and retries with asynchronous invocation"."""
    cloud.break_(CLOSE, with_=ConnectionError, times=2)
    cloud.advance(days=1)
    (closed,) = cloud.published("DayClosed")
    assert timedelta(seconds=closed.at) == timedelta(
        seconds=datetime(2026, 1, 1, 3, 3, tzinfo=UTC).timestamp()
    )
    assert cloud.dead_letters(CLOSE) == ()


def test_a_run_that_fails_every_retry_is_a_dead_letter_with_its_time(
    cloud: Shop,
) -> None:
    cloud.break_(CLOSE, with_=ConnectionError)
    cloud.advance(days=1)
    (dead_letter,) = cloud.dead_letters(CLOSE)
    assert '"requestPayload": {"schedule": "records-dev-accounts-close"' in dead_letter.body
    assert '"at": "2026-01-01T03:00:00Z"' in dead_letter.body
    assert '"condition": "RetriesExhausted"' in dead_letter.body


def test_a_throttled_function_runs_later(cloud: Shop) -> None:
    cloud.break_(CLOSE, with_=Throttled(), times=3)
    cloud.advance(days=1)
    assert days(cloud) == ["2025-12-31"]


def changed(templates: Templates, kind: str, change: Change) -> Templates:
    """The system with the accounts' resources of a kind changed, on a copy."""
    stack = "records-dev-accounts"
    body = copy.deepcopy(dict(templates.bodies[stack]))
    for resource in body["Resources"].values():
        if resource["Type"] == kind:
            change(resource["Properties"])
    return templates.with_bodies({**templates.bodies, stack: body})


def test_a_run_that_scheduler_may_not_start_is_a_dead_letter_of_the_schedule(
    templates: Templates,
) -> None:
    """From "Configuring a dead-letter queue for EventBridge Scheduler"."""

    def forbid(policy: dict[str, Any]) -> None:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == "lambda:InvokeFunction":
                statement["Effect"] = "Deny"

    with Shop(changed(templates, "AWS::IAM::Policy", forbid)) as cloud:
        cloud.advance(days=1)
        (dead_letter,) = cloud.dead_letters(CLOSE)
        assert "is not authorized to perform lambda:InvokeFunction" in str(dead_letter.reason)
        assert days(cloud) == []


def test_a_role_that_is_for_another_group_of_schedules_is_refused(templates: Templates) -> None:
    """From "Confused deputy prevention in EventBridge Scheduler"."""

    def rename(schedule: dict[str, Any]) -> None:
        schedule["GroupName"] = "default"

    broken = changed(templates, "AWS::Scheduler::Schedule", rename)
    with pytest.raises(NotDeployable, match="may not assume the role"), Shop(broken):
        pass


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        ("rate(5 minutes)", "UTC", "2026-01-01T00:00", "2026-01-01T00:05"),
        ("rate(1 day)", "UTC", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("cron(0 3 * * ? *)", "UTC", "2026-01-01T03:00", "2026-01-02T03:00"),
        ("cron(0/15 * * * ? *)", "UTC", "2026-01-01T00:16", "2026-01-01T00:30"),
        ("cron(0 9 ? * MON-FRI *)", "UTC", "2026-01-02T09:00", "2026-01-05T09:00"),
        ("cron(0 0 1 JAN ? *)", "UTC", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-07-01T00:00", "2026-07-01T01:00"),
        # The clocks are put forward over 02:30, and back over it.
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:30"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_an_expression_is_due_in_its_own_time_zone(
    text: str, zone: str, after: str, expected: str
) -> None:
    """From "Schedule types in EventBridge Scheduler"."""
    due = expression(text, zone)(datetime.fromisoformat(f"{after}+00:00"))
    assert due == datetime.fromisoformat(f"{expected}+00:00")


@pytest.mark.parametrize(
    "text", ["rate(1 days)", "rate(2 hour)", "cron(0 3 * * * *)", "cron(60 3 * * ? *)", "daily"]
)
def test_an_expression_that_scheduler_refuses_is_refused(text: str) -> None:
    with pytest.raises(NotDeployable):
        expression(text, "UTC")
