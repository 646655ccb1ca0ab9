"""Redrives and discards lose no dead letter, whatever AWS answers and wherever the process dies."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patchbay.operations.dead_letters import drain as drain
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue
from patchbay.operations.dead_letters.discard import discard
from patchbay.operations.dead_letters.queues import queues, recounted
from patchbay.operations.dead_letters.redrive import redrive
from patchbay.operations.dead_letters.selection import Selection
from patchbay.testkit.aws.queue import Queue
from tests.shop import Shop

MOVING = {"receive_message", "send_message_batch", "delete_message_batch"}
RUNS = 3  # of the command, one after another
MOST_DEAD_LETTERS = 13
EXAMPLES = count()


class Fate(Enum):
    """The fate of a request."""

    FINE = "it succeeds"
    REFUSED = "AWS refuses it"
    UNANSWERED = "it succeeds, and its response is lost"
    HALF = "every other entry succeeds, and the others are refused"
    UNCONFIRMED = "every other entry succeeds, and the response does not name the others"
    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"


class Died(BaseException):
    """The process has died. Only its `finally` blocks still run here."""


class Risky:
    """Clients whose requests that move dead letters meet a fate."""

    def __init__(self, cloud: Shop, fates: Iterator[Fate], check: Callable[[], None]) -> None:
        self._cloud = cloud
        self._fates = fates
        self._check = check
        self._is_dead = False

    def client(self, service: str, /) -> Any:
        real = self._cloud.client(service)
        return Requests(self, real) if service == "sqs" else real

    def call(self, request: Callable[..., Any], name: str, parameters: dict[str, Any]) -> Any:
        if self._is_dead:  # a process that was killed makes no request in a `finally` block
            raise Died
        fate = next(self._fates) if name in MOVING else Fate.FINE
        try:
            return self._meet(fate, request, parameters)
        finally:
            self._check()

    def _meet(self, fate: Fate, request: Callable[..., Any], parameters: dict[str, Any]) -> Any:
        if fate is Fate.DIES_BEFORE:
            self._is_dead = True
            raise Died
        if fate is Fate.REFUSED:
            raise ClientError({"Error": {"Code": "Throttled", "Message": "slower"}}, "It")
        entries = parameters.get("Entries", [])
        if fate in (Fate.HALF, Fate.UNCONFIRMED) and len(entries) > 1:
            answer = request(**{**parameters, "Entries": entries[::2]})
            failed = [{"Id": each["Id"], "Code": "Busy"} for each in entries[1::2]]
            return {**answer, "Failed": failed if fate is Fate.HALF else []}
        answer = request(**parameters)
        if fate is Fate.UNANSWERED:
            raise EndpointConnectionError(endpoint_url="https://sqs")
        if fate is Fate.DIES_AFTER:
            self._is_dead = True
            raise Died
        return answer


class Requests:
    """A client whose requests meet their fates."""

    def __init__(self, risky: Risky, real: Any) -> None:
        self._risky = risky
        self._real = real

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name == "exceptions" or name.startswith("get_paginator"):
            return real
        return lambda **parameters: self._risky.call(real, name, parameters)


def bodies(*queues: Queue | None) -> set[str]:
    existing = [queue for queue in queues if queue is not None]
    return {message.body for queue in existing for message in queue.messages()}


def emptied(queue: Queue | None) -> Queue:
    assert queue is not None
    queue._moto._messages.clear()
    return queue


fates = st.lists(
    st.sampled_from(Fate) | st.just(Fate.FINE), min_size=1, max_size=12
)  # fmt: skip
interleavings = settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _found_once(cloud: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """List the dead-letter queues once: they do not change, and listing them takes longest."""
    found = queues(cloud, "dev")

    def queues_of(clients: Any, stage: str, owner: str | None) -> list[DeadLetterQueue]:
        return [recounted(cloud, queue) for queue in found if queue.owner == owner]

    monkeypatch.setattr(drain, "selected_queues", queues_of)


@pytest.mark.parametrize("consumer", ["payments", "accounts-statement"])
@interleavings
@given(fates=fates)
def test_a_dead_letter_is_always_in_its_queue_or_at_its_redrive_target(
    cloud: Shop, consumer: str, fates: list[Fate]
) -> None:
    queue = emptied(cloud.queue(consumer))
    dead = emptied(queue.dead_letters)
    example = next(EXAMPLES)
    for number in range(MOST_DEAD_LETTERS):
        group, deduplication = str(number % 3), f"{example}-{number}"
        if queue.is_fifo:
            dead.send(f"{example}/{number}", group=group, deduplication=deduplication)
        else:
            dead.send(f"{example}/{number}")
    all_bodies = bodies(dead)
    assert len(all_bodies) == MOST_DEAD_LETTERS

    def nothing_is_lost() -> None:
        assert bodies(dead, queue) >= all_bodies

    remaining_fates = chain(fates, repeat(Fate.FINE))
    for _ in range(RUNS):
        risky = Risky(cloud, remaining_fates, nothing_is_lost)
        with suppress(Died, ClientError, EndpointConnectionError):
            redrive(risky, "dev", Selection(owner=consumer))
        cloud.advance(minutes=2)  # until the visibility timeout of a dead process has ended
        nothing_is_lost()


@interleavings
@given(fates=fates)
def test_a_dead_letter_is_always_in_its_queue_or_in_the_file(
    cloud: Shop, tmp_path: Path, fates: list[Fate]
) -> None:
    dead = emptied(cloud.queue("payments").dead_letters)
    example = next(EXAMPLES)
    for number in range(MOST_DEAD_LETTERS):
        dead.send(f"{example}/{number}")
    all_bodies = bodies(dead)
    folder = tmp_path / str(example)
    folder.mkdir()

    def nothing_is_lost() -> None:
        written = "".join(file.read_text() for file in folder.iterdir())
        assert all(each in bodies(dead) or f'"{each}"' in written for each in all_bodies)

    remaining_fates = chain(fates, repeat(Fate.FINE))
    for run in range(RUNS):
        risky = Risky(cloud, remaining_fates, nothing_is_lost)
        with suppress(Died, ClientError, EndpointConnectionError):
            discard(risky, "dev", Selection(owner="payments"), folder / str(run))
        cloud.advance(minutes=2)
        nothing_is_lost()
    discard(cloud, "dev", Selection(owner="payments"), folder / "rest")
    assert bodies(dead) == set()
    nothing_is_lost()
