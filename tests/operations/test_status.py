"""The status of a stage, and its problems."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from patchbay.cli.__main__ import main
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue, NotRedrivable
from patchbay.operations.health import aws_health
from patchbay.operations.health.aws_health import Alarm, Reader, Workflow
from patchbay.operations.health.health import SystemHealth
from patchbay.operations.health.status import Status, checker
from tests.patchbay.operations.health.sample_health import AT, failure, health
from tests.shop import Shop

NOWHERE = NotRedrivable("no resource uses it")
ESCAPE = "\x1b[2J"


def seen(
    health: SystemHealth,
    *dead_letters: DeadLetterQueue,
    alarms: tuple[Alarm, ...] = (),
    workflows: tuple[Workflow, ...] = (),
    readers: tuple[Reader, ...] = (),
) -> Status:
    return Status("dev", replace(health, dead_letters=dead_letters), alarms, workflows, readers)


def dead_letters(name: str, count: int) -> DeadLetterQueue:
    return DeadLetterQueue(name, "url", "delivery", "alerts", count, 0, NOWHERE)


def reader(state: str) -> Reader:
    return Reader("orders-outbox", "changes of table orders", state, behind=2.0)


def test_nothing_is_wrong_if_all_is_well() -> None:
    assert seen(health(), dead_letters("a", 0), readers=(reader("Enabled"),)).wrong == []


def test_a_pause_is_not_wrong_and_dead_letters_are() -> None:
    paused = health(alerts={"state": "paused", "waiting": 7})
    assert seen(paused).wrong == []
    assert seen(paused).paused == ["alerts"]
    assert seen(paused, dead_letters("alerts-undelivered", 2)).wrong == [
        "2 dead letters in alerts-undelivered"
    ]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            seen(health(alerts={"state": "failing", "failures": (failure("it is down"),)})),
            "alerts fails: it is down",
        ),
        (
            seen(health(journal={"state": "behind", "waiting": 1200})),
            "journal is behind: 1,200 messages in its queue",
        ),
        (seen(health(), alarms=(Alarm("journal-age", AT, "it waits"),)), "journal-age: it waits"),
        (
            seen(health(), workflows=(Workflow("watering", 1),)),
            "watering: 1 execution did not succeed",
        ),
        (
            seen(health(), workflows=(Workflow("watering", 1000, at_least=True),)),
            "1,000+ executions did not succeed",
        ),
        (seen(health(), readers=(reader("Disabled"),)), "orders-outbox does not read changes of"),
    ],
)
def test_each_problem_is_a_sentence(status: Status, sentence: str) -> None:
    (wrong,) = status.wrong
    assert sentence in wrong
    assert not status.as_json()["well"]
    json.dumps(status.as_json())


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that sets the status which the command shows."""

    def show(status: Status) -> None:
        def known(clients: Clients, stage: str) -> Any:
            return lambda: status

        monkeypatch.setattr("patchbay.operations.health.status.checker", known)

    return show


def test_the_exit_code_is_1_if_anything_is_wrong(
    shown: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shown(seen(health()))
    assert main(["status"]) == 0
    assert "All is well." in capsys.readouterr().out
    shown(seen(health(), dead_letters("alerts-dead-letters", 3)))
    assert main(["status", "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)["well"]


def test_text_from_a_log_is_escaped_for_the_terminal(
    shown: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = f"[red]{ESCAPE}down"
    shown(seen(health(alerts={"state": "failing", "failures": (failure(reason),)})))
    assert main(["status"]) == 1
    output = capsys.readouterr().out
    assert ESCAPE not in output
    assert "[red]\\x1b[2Jdown" in output


def test_incomplete_counts_have_a_plus_sign(shown: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown(seen(health(alerts={"handled": 5000, "at_least": True})))
    main(["status"])
    assert "5,000+" in capsys.readouterr().out


def test_only_the_alarms_of_the_stage_are_found(cloud: Shop) -> None:
    cloudwatch: Any = boto3.client("cloudwatch")
    for name in ("records-dev-a", "records-dev-b", "records-prod-a"):
        cloudwatch.put_metric_alarm(
            AlarmName=name, AlarmDescription="why", MetricName="m", Namespace="n",
            Period=60, EvaluationPeriods=1, Threshold=1, Statistic="Maximum",
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )  # fmt: skip
        state = "OK" if name.endswith("b") else "ALARM"
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
    assert [(alarm.name, alarm.description) for alarm in aws_health.alarms(cloud, "dev")] == [
        ("a", "why")
    ]


class Machines:
    """A client of Step Functions with two state machines: one has failed executions."""

    def __init__(self, *stopped: datetime) -> None:
        self._stopped = stopped

    def client(self, service: str, /) -> Any:
        assert service == "stepfunctions"
        return self

    def get_paginator(self, operation: str) -> Any:
        self._operation = operation
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        if self._operation == "list_state_machines":
            names = ("records-dev-watering", "somebody-elses")
            machines = [{"name": name, "stateMachineArn": name} for name in names]
            return [{"stateMachines": machines}]
        assert request["stateMachineArn"] == "records-dev-watering"
        stopped = self._stopped if request["statusFilter"] == "FAILED" else ()
        return [{"executions": [{"startDate": at, "stopDate": at} for at in stopped]}]


def test_a_failed_execution_counts_as_long_as_it_can_be_redriven() -> None:
    machines = Machines(AT - timedelta(days=1), AT - timedelta(days=15))
    assert aws_health.workflows(machines, "dev", AT) == [Workflow("watering", 1)]


def test_the_functions_that_read_a_stream_are_found(cloud: Shop) -> None:
    found = {each.name: each for each in aws_health.readers(cloud, "dev", datetime.now(UTC))}
    assert found["orders-outbox"].stream == "changes of table orders"
    assert found["bestsellers"].stream == "stream storefront"
    assert "alerts" not in found
    assert found["bestsellers"].state == "Enabled"


def test_a_check_reads_all_parts_of_the_status(
    cloud: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class HealthyMonitor:
        def __init__(self, *arguments: Any) -> None:
            pass

        def check(self) -> SystemHealth:
            return health()

    monkeypatch.setattr("patchbay.operations.health.status.Monitor", HealthyMonitor)
    monkeypatch.setattr("patchbay.operations.health.status.workflows", lambda *arguments: [])
    status = checker(cloud, "dev")()
    assert [each.name for each in status.readers] == ["bestsellers", "orders-outbox"]
    assert status.wrong == []
