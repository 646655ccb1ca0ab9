"""How a stage does: its consumers, its dead letters, and what AWS says is wrong."""

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
from patchbay.operations.health.health import Board, Doing
from patchbay.operations.health.monitor import Watch

PAGES = 50  # of each log, that are read at a look: nobody waits for the next one


@dataclass(frozen=True)
class Status:
    """A stage at one moment."""

    stage: str
    board: Board
    alarms: tuple[Alarm, ...]
    workflows: tuple[Workflow, ...]
    readers: tuple[Reader, ...]

    @property
    def wrong(self) -> list[str]:
        """All that is, a sentence each; nothing where all is well.

        A pause is none of it: somebody wanted it. Should it last, the alarm on the queue's age
        tells, long before the queue would lose anything.
        """
        return [
            *(said for doing in self.board.consumers for said in _wrong_with(doing)),
            *(_left_in(queue) for queue in self.board.dead_letters if queue.count),
            *(f"alarm {alarm.name}: {alarm.description}" for alarm in self.alarms),
            *(
                f"{each.name}: {_many(each.failed, 'execution', each.at_least)} did not succeed"
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
        return [each.name for each in self.board.consumers if each.state == "paused"]

    def as_json(self) -> dict[str, Any]:
        """It, for machines."""
        return {
            "stage": self.stage,
            "at": self.board.at.isoformat(),
            "well": not self.wrong,
            "wrong": self.wrong,
            "consumers": [_as_json(each) for each in self.board.consumers],
            "dead_letters": [
                {"queue": each.name, "owner": each.owner, "kind": each.kind, "count": each.count}
                for each in self.board.dead_letters
            ],
            "alarms": [asdict(alarm) | {"since": alarm.since.isoformat()} for alarm in self.alarms],
            "workflows": [asdict(workflow) for workflow in self.workflows],
            "stream_readers": [asdict(reader) for reader in self.readers],
        }


def looks(clients: Clients, stage: str) -> Callable[[], Status]:
    """What looks at a stage, each time that it is called; raises UserError."""
    watch = Watch(clients, stage, PAGES)

    def look() -> Status:
        now = datetime.now(UTC)
        with ThreadPoolExecutor() as pool:
            board = pool.submit(watch.look)
            ringing = pool.submit(alarms, clients, stage)
            running = pool.submit(workflows, clients, stage, now)
            reading = pool.submit(readers, clients, stage, now)
            return Status(
                stage,
                board.result(),
                tuple(ringing.result()),
                tuple(running.result()),
                tuple(reading.result()),
            )

    return look


def _wrong_with(doing: Doing) -> Iterator[str]:
    if doing.state == "failing":
        yield f"{doing.name} fails: {cut(doing.because or '')}"
    if doing.state == "behind":
        yield f"{doing.name} is behind: {_many(doing.queued, 'message')} in its queue"


def _left_in(queue: DeadLetterQueue) -> str:
    return f"{_many(queue.count, 'dead letter')} in {queue.name}"


def _many(number: int, what: str, at_least: bool = False) -> str:
    return f"{count(number)}{'+' if at_least else ''} {what}{'' if number == 1 else 's'}"


def _as_json(doing: Doing) -> dict[str, Any]:
    return {
        "consumer": doing.name,
        "state": doing.state,
        "waiting": doing.waiting,
        "in_flight": doing.in_flight,
        "oldest_seconds": doing.oldest,
        "dead_letters": doing.dead,
        "handled": doing.handled,
        "failed": doing.failed,
        "at_least": doing.at_least,
        "p95_seconds": doing.p95,
        "last_failure": doing.because,
    }
