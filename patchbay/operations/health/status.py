"""The status of a stage: its consumers, dead letters, alarms, workflows and stream readers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue
from patchbay.operations.formatting import count, cut
from patchbay.operations.health.aws_health import (
    Alarm,
    Reader,
    Workflow,
    alarms,
    readers,
    workflows,
)
from patchbay.operations.health.health import ConsumerHealth, SystemHealth
from patchbay.operations.health.monitor import Monitor

PAGES = 50  # of each log in a check: `patchbay status` has no next poll that could read on


@dataclass(frozen=True)
class Status:
    """A stage at one moment."""

    stage: str
    health: SystemHealth
    alarms: tuple[Alarm, ...]
    workflows: tuple[Workflow, ...]
    readers: tuple[Reader, ...]

    @property
    def wrong(self) -> list[str]:
        """The problems, a sentence each; empty if all is well.

        A pause is not a problem: somebody has paused the consumer on purpose. If it lasts, the
        alarm on the queue's age is raised long before the queue deletes a message.
        """
        return [
            *(each for consumer in self.health.consumers for each in _problems(consumer)),
            *(_dead_letters(queue) for queue in self.health.dead_letters if queue.count),
            *(f"alarm {alarm.name}: {alarm.description}" for alarm in self.alarms),
            *(
                f"{each.name}: {_plural(each.failed, 'execution', each.at_least)} did not succeed"
                for each in self.workflows
                if each.failed
            ),
            *(
                f"{each.name} does not read {each.stream}: its mapping is {each.state}"
                for each in self.readers
                if each.state in ("Disabled", "Disabling")
            ),
        ]

    @property
    def paused(self) -> list[str]:
        """The consumers whose deliveries are stopped."""
        return [each.name for each in self.health.consumers if each.state == "paused"]

    def as_json(self) -> dict[str, Any]:
        """Return the status as JSON."""
        return {
            "stage": self.stage,
            "at": self.health.at.isoformat(),
            "well": not self.wrong,
            "wrong": self.wrong,
            "consumers": [_as_json(each) for each in self.health.consumers],
            "dead_letters": [
                {"queue": each.name, "owner": each.owner, "kind": each.kind, "count": each.count}
                for each in self.health.dead_letters
            ],
            "alarms": [asdict(alarm) | {"since": alarm.since.isoformat()} for alarm in self.alarms],
            "workflows": [asdict(workflow) for workflow in self.workflows],
            "stream_readers": [asdict(reader) for reader in self.readers],
        }


def checker(clients: Clients, stage: str) -> Callable[[], Status]:
    """Return a function that reads a stage's status, and may raise UserError."""
    monitor = Monitor(clients, stage, PAGES)

    def check() -> Status:
        now = datetime.now(UTC)
        with ThreadPoolExecutor() as pool:
            health = pool.submit(monitor.check)
            in_alarm = pool.submit(alarms, clients, stage)
            failed = pool.submit(workflows, clients, stage, now)
            reading = pool.submit(readers, clients, stage, now)
            return Status(
                stage,
                health.result(),
                tuple(in_alarm.result()),
                tuple(failed.result()),
                tuple(reading.result()),
            )

    return check


def _problems(consumer: ConsumerHealth) -> Iterator[str]:
    if consumer.state == "failing":
        yield f"{consumer.name} fails: {cut(consumer.last_error or '')}"
    if consumer.state == "behind":
        yield f"{consumer.name} is behind: {_plural(consumer.queued, 'message')} in its queue"


def _dead_letters(queue: DeadLetterQueue) -> str:
    return f"{_plural(queue.count, 'dead letter')} in {queue.name}"


def _plural(number: int, noun: str, at_least: bool = False) -> str:
    return f"{count(number)}{'+' if at_least else ''} {noun}{'' if number == 1 else 's'}"


def _as_json(consumer: ConsumerHealth) -> dict[str, Any]:
    return {
        "consumer": consumer.name,
        "state": consumer.state,
        "waiting": consumer.waiting,
        "in_flight": consumer.in_flight,
        "oldest_seconds": consumer.oldest,
        "dead_letters": consumer.dead,
        "handled": consumer.handled,
        "failed": consumer.failed,
        "at_least": consumer.at_least,
        "p95_seconds": consumer.p95,
        "last_failure": consumer.last_error,
    }
