"""Whatever AWS answers, and wherever the process dies: no dead letter is lost on its way back."""

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
RUNS = 3  # of the command, one after the other
MOST_DEAD_LETTERS = 13
EXAMPLES = count()


class Fate(Enum):
    """What becomes of a request."""

    FINE = "it is done"
    REFUSED = "AWS refuses it"
    UNANSWERED = "it is done, and nobody hears of it"
    HALF = "every other entry of it is done, and the others are refused"
    NOT_LOGGED = "every other entry of it is done, and nothing is said of the others"
    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"


class Died(BaseException):
    """The process is gone: none of its code runs on, but what stands after `finally`."""


class Risky:
    """Clients of which each request that moves dead letters meets its fate."""

    def __init__(self, cloud: Shop, fates: Iterator[Fate], check: Callable[[], None]) -> None:
        self._cloud = cloud
        self._fates = fates
        self._check = check
        self._is_dead = False

    def client(self, service: str, /) -> Any:
        real = self._cloud.client(service)
        return Requests(self, real) if service == "sqs" else real

    def ask(self, request: Callable[..., Any], name: str, asked: dict[str, Any]) -> Any:
        if self._is_dead:  # what would still run is not what a killed process does
            raise Died
        fate = next(self._fates) if name in MOVING else Fate.FINE
        try:
            return self._meet(fate, request, asked)
        finally:
            self._check()

    def _meet(self, fate: Fate, request: Callable[..., Any], asked: dict[str, Any]) -> Any:
        if fate is Fate.DIES_BEFORE:
            self._is_dead = True
            raise Died
        if fate is Fate.REFUSED:
            raise ClientError({"Error": {"Code": "Throttled", "Message": "slower"}}, "It")
        entries = asked.get("Entries", [])
        if fate in (Fate.HALF, Fate.NOT_LOGGED) and len(entries) > 1:
            answer = request(**{**asked, "Entries": entries[::2]})
            said = [{"Id": each["Id"], "Code": "Busy"} for each in entries[1::2]]
            return {**answer, "Failed": said if fate is Fate.HALF else []}
        answer = request(**asked)
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
        return lambda **asked: self._risky.ask(real, name, asked)


def bodies(*queues: Queue | None) -> set[str]:
    there = [queue for queue in queues if queue is not None]
    return {message.body for queue in there for message in queue.messages()}


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
    """Which queues there are does not change, and to ask for it takes longest."""
    found = queues(cloud, "dev")

    def those_of(clients: Any, stage: str, owner: str | None) -> list[DeadLetterQueue]:
        return [recounted(cloud, queue) for queue in found if queue.owner == owner]

    monkeypatch.setattr(drain, "selected_queues", those_of)


@pytest.mark.parametrize("consumer", ["payments", "accounts-statement"])
@interleavings
@given(fates=fates)
def test_a_letter_is_always_in_the_dead_letters_or_where_it_belongs(
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
    all_letters = bodies(dead)
    assert len(all_letters) == MOST_DEAD_LETTERS

    def nothing_is_lost() -> None:
        assert bodies(dead, queue) >= all_letters

    ahead = chain(fates, repeat(Fate.FINE))
    for _ in range(RUNS):
        with suppress(Died, ClientError, EndpointConnectionError):
            redrive(Risky(cloud, ahead, nothing_is_lost), "dev", Selection(owner=consumer))
        cloud.advance(minutes=2)  # until what a dead process had hidden is seen again
        nothing_is_lost()


@interleavings
@given(fates=fates)
def test_a_letter_is_always_in_the_dead_letters_or_in_the_file(
    cloud: Shop, tmp_path: Path, fates: list[Fate]
) -> None:
    dead = emptied(cloud.queue("payments").dead_letters)
    example = next(EXAMPLES)
    for number in range(MOST_DEAD_LETTERS):
        dead.send(f"{example}/{number}")
    all_letters = bodies(dead)
    folder = tmp_path / str(example)
    folder.mkdir()

    def nothing_is_lost() -> None:
        skipped = "".join(file.read_text() for file in folder.iterdir())
        assert all(each in bodies(dead) or f'"{each}"' in skipped for each in all_letters)

    ahead = chain(fates, repeat(Fate.FINE))
    for run in range(RUNS):
        risky = Risky(cloud, ahead, nothing_is_lost)
        with suppress(Died, ClientError, EndpointConnectionError):
            discard(risky, "dev", Selection(owner="payments"), folder / str(run))
        cloud.advance(minutes=2)
        nothing_is_lost()
    discard(cloud, "dev", Selection(owner="payments"), folder / "rest")
    assert bodies(dead) == set()
    nothing_is_lost()
