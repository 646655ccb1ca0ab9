"""A schedule: EventBridge Scheduler runs a function, and passes the time when it was due."""

import json
from zoneinfo import available_timezones

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from patchbay.constructs.function import Function
from patchbay.constructs.queues import DeadLetterQueue
from patchbay.constructs.stage import named
from patchbay.errors import UserError

# Scheduler's retries, until Lambda accepts the run. After MAX_AGE, the next run may be due.
ATTEMPTS = 185  # Scheduler's own limit
MAX_AGE = Duration.hours(6)
# Lambda's retries, after it has accepted the run: its own limit, 1 and 2 minutes after a failure.
RETRIES = 2

# Scheduler replaces this with the time at which the run was due.
DUE_AT = "<aws.scheduler.scheduled-time>"


class BadSchedule(UserError):
    """A schedule's expression or time zone is invalid."""


class Schedule(Construct):
    """A schedule, the role with which it invokes its function, and its dead-letter queue."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        function: Function,
        every: str,
        time_zone: str,
        group: scheduler.CfnScheduleGroup,
    ) -> None:
        super().__init__(scope, id)
        _check(name, every, time_zone)
        # Runs that Scheduler could not start, and runs that failed in Lambda.
        missed = DeadLetterQueue(self, "Missed", name=f"{name}-missed", of="schedule")
        function.function.configure_async_invoke(
            on_failure=destinations.SqsDestination(missed),
            retry_attempts=RETRIES,
            max_event_age=MAX_AGE,
        )
        role = self._role(str(group.name))
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            name=named(self, name),
            group_name=group.name,
            schedule_expression=every,
            schedule_expression_timezone=time_zone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function.function_arn,
                role_arn=role.role_arn,
                input=json.dumps({"schedule": named(self, name), "at": DUE_AT}),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=missed.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=MAX_AGE.to_seconds(),
                    maximum_retry_attempts=ATTEMPTS,
                ),
            ),
        )
        schedule.add_resource_dependency(group)
        for action, arn in {
            "lambda:InvokeFunction": function.function.function_arn,
            "sqs:SendMessage": missed.queue_arn,
        }.items():
            role.add_to_principal_policy(iam.PolicyStatement(actions=[action], resources=[arn]))
        # A schedule that is created before its role's policy would run without it.
        for policy in role.node.find_all():
            if isinstance(policy, iam.CfnPolicy):
                schedule.add_resource_dependency(policy)

    def _role(self, group: str) -> iam.Role:
        """Return a role that only the schedules of this group can assume."""
        stack = Stack.of(self)
        arn = stack.format_arn(service="scheduler", resource="schedule-group", resource_name=group)
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": arn}
                },
            ),
        )


def schedule_group(scope: Construct, service: str) -> scheduler.CfnScheduleGroup:
    """Return the group of a service's schedules; it has the tags, since a schedule can't."""
    return scheduler.CfnScheduleGroup(scope, "Schedules", name=named(scope, service))


def _check(name: str, every: str, time_zone: str) -> None:
    if not every.startswith(("cron(", "rate(")) or not every.endswith(")"):
        raise BadSchedule(
            f"The schedule {name} says {every!r}: use cron(minutes hours day-of-month month "
            "day-of-week year), with a ? for one of the two days, or rate(number unit)."
        )
    if every.startswith("cron(") and (len(every[5:-1].split()) != 6 or "?" not in every):
        raise BadSchedule(
            f"The schedule {name} says {every!r}: a cron expression has 6 fields, minutes hours "
            "day-of-month month day-of-week year, with a ? for one of the two days."
        )
    if time_zone not in available_timezones():
        raise BadSchedule(
            f"The schedule {name} is in the time zone {time_zone!r}, which does not exist: use a "
            "name such as Europe/Berlin, or UTC."
        )
