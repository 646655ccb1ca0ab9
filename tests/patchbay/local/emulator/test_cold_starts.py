from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest

from patchbay.local.emulator import cold_starts
from patchbay.local.emulator.cold_starts import Turns
from patchbay.processes.waiting import wait_until

DEADLINE = 10  # seconds


class Pool:
    """A cloud's environments: given out if free, and made unless that is limited."""

    def __init__(self) -> None:
        self.free: dict[str, list[str]] = {}
        self.made: dict[str, int] = {}
        self._lock = Lock()

    def acquire(
        self, function: str, config: Any, code: bytes, max_concurrency: int | None = None
    ) -> tuple[str | None, str]:
        with self._lock:
            if free := self.free.setdefault(function, []):
                return free.pop(), "reused"
            if max_concurrency and self.made.get(function, 0) >= max_concurrency:
                return None, "func_cap"
            self.made[function] = self.made.get(function, 0) + 1
            return f"{function}-{self.made[function]}", "spawn"

    def release(self, function: str, environment: str) -> None:
        with self._lock:
            self.free[function].append(environment)


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def turns(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Turns:
    monkeypatch.setattr(cold_starts, "PATIENCE", 60.0)
    return Turns(pool.acquire)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as executor:
        yield executor


def asked(
    threads: ThreadPoolExecutor, turns: Turns, function: str = "api"
) -> Future[tuple[Any, str]]:
    return threads.submit(turns.acquire, function, {}, b"")


def test_a_burst_starts_one_environment_and_shares_it(
    pool: Pool, turns: Turns, threads: ThreadPoolExecutor
) -> None:
    first, how = turns.acquire("api", {}, b"")
    assert how == "spawn"
    waiting = asked(threads, turns)

    pool.release("api", first)
    turns.released()

    assert waiting.result(DEADLINE) == (first, "reused")
    assert pool.made == {"api": 1}


def test_once_it_is_busy_the_next_environment_is_started(
    pool: Pool, turns: Turns, threads: ThreadPoolExecutor
) -> None:
    turns.acquire("api", {}, b"")
    waiting = [asked(threads, turns), asked(threads, turns)]

    turns.started("api")

    wait_until(lambda: any(each.done() for each in waiting), "one of them to start", DEADLINE)
    assert pool.made == {"api": 2}
    assert [each.done() for each in waiting].count(True) == 1
    turns.started("api")
    assert {each.result(DEADLINE)[0] for each in waiting} == {"api-2", "api-3"}


def test_one_function_does_not_wait_for_another(pool: Pool, turns: Turns) -> None:
    turns.acquire("api", {}, b"")
    assert turns.acquire("alerts", {}, b"") == ("alerts-1", "spawn")


def test_a_start_whose_end_is_never_reported_does_not_block_for_ever(
    pool: Pool, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold_starts, "PATIENCE", 0.05)
    turns.acquire("api", {}, b"")
    assert turns.acquire("api", {}, b"") == ("api-2", "spawn")
