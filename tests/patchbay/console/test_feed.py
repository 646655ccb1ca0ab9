"""The feed: watchers share its checks, and without watchers it checks nothing."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from itertools import count
from typing import Any

import pytest

from patchbay.console.feed import Feed, Snapshot
from patchbay.errors import UserError
from patchbay.operations.health.health import SystemHealth
from tests.patchbay.operations.health.sample_health import health

DEADLINE = 5.0  # seconds


class Cloud:
    """A deployment that counts the checks, and can stop answering."""

    def __init__(self) -> None:
        self.checks = 0
        self.is_gone = False

    def check(self) -> SystemHealth:
        self.checks += 1
        if self.is_gone:
            raise UserError("Could not connect")
        return health()


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, DEADLINE))


async def see(
    watching: AsyncGenerator[Snapshot, None], condition: Callable[[Snapshot], bool] = bool
) -> Snapshot:
    """Return the next snapshot that meets the condition."""
    async for snapshot in watching:
        if condition(snapshot):
            return snapshot
    raise AssertionError("The feed ended.")


async def leave(*watching: AsyncGenerator[Snapshot, None]) -> None:
    for each in watching:
        await each.aclose()


def test_two_watchers_share_each_check(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=3600)
        one, other = feed.watch(), feed.watch()
        assert (await see(one)).health == (await see(other)).health == health()
        assert cloud.checks == 1
        await leave(one, other)

    run(scene())


def test_a_new_watcher_gets_the_last_result_at_once(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=3600)
        one = feed.watch()
        await see(one)
        later = feed.watch()
        assert (await see(later)).health == health()
        assert cloud.checks == 1
        await leave(one, later)

    run(scene())


def test_without_a_watcher_nothing_is_checked(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=0)
        watching = feed.watch()
        for _ in range(3):
            await see(watching)
        await leave(watching)
        checks = cloud.checks
        for _ in range(100):
            await asyncio.sleep(0)
        # One may have been running.
        assert cloud.checks <= checks + 1
        assert feed.is_idle

    run(scene())


def test_a_watcher_that_leaves_does_not_end_the_checks_for_the_others(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=0)
        one, other = feed.watch(), feed.watch()
        await see(one)
        await leave(one)
        for _ in count():
            if (await see(other)) and cloud.checks > 3:
                break
        await leave(other)

    run(scene())


def test_a_cloud_that_stops_answering_is_reported_and_its_return_too(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=0)
        watching = feed.watch()
        await see(watching)
        cloud.is_gone = True
        gone = await see(watching, lambda snapshot: snapshot.error is not None)
        assert gone == Snapshot(health(), "Could not connect")
        cloud.is_gone = False
        assert (await see(watching, lambda snapshot: snapshot.error is None)).health == health()
        await leave(watching)

    run(scene())


def test_a_feed_that_is_closed_ends_every_watch(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=3600)
        watching = feed.watch()
        await see(watching)
        await asyncio.to_thread(feed.close)
        assert [snapshot async for snapshot in watching] == []

    run(scene())
