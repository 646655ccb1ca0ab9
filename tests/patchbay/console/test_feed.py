"""Who watches sees each look, and while nobody does, nothing is asked of the cloud."""

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
    """Counts the looks at it, and can go away."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_gone = False

    def check(self) -> SystemHealth:
        self.looks += 1
        if self.is_gone:
            raise UserError("Could not connect")
        return health()


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, DEADLINE))


async def see(
    watching: AsyncGenerator[Snapshot, None], what: Callable[[Snapshot], bool] = bool
) -> Snapshot:
    """The next that is so."""
    async for snapshot in watching:
        if what(snapshot):
            return snapshot
    raise AssertionError("The feed ended.")


async def leave(*watching: AsyncGenerator[Snapshot, None]) -> None:
    for each in watching:
        await each.aclose()


def test_two_who_watch_share_each_look(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=3600)
        one, other = feed.watch(), feed.watch()
        assert (await see(one)).health == (await see(other)).health == health()
        assert cloud.looks == 1
        await leave(one, other)

    run(scene())


def test_who_comes_later_sees_at_once_what_was_seen_last(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=3600)
        one = feed.watch()
        await see(one)
        later = feed.watch()
        assert (await see(later)).health == health()
        assert cloud.looks == 1
        await leave(one, later)

    run(scene())


def test_while_nobody_watches_nobody_looks(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=0)
        watching = feed.watch()
        for _ in range(3):
            await see(watching)
        await leave(watching)
        looks = cloud.looks
        for _ in range(100):
            await asyncio.sleep(0)
        # One may have been under way.
        assert cloud.looks <= looks + 1
        assert feed.is_idle

    run(scene())


def test_who_leaves_does_not_end_it_for_the_others(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=0)
        one, other = feed.watch(), feed.watch()
        await see(one)
        await leave(one)
        for _ in count():
            if (await see(other)) and cloud.looks > 3:
                break
        await leave(other)

    run(scene())


def test_a_cloud_that_goes_is_told_and_seen_again_once_it_is_back(cloud: Cloud) -> None:
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


def test_a_console_that_stops_lets_who_watches_go(cloud: Cloud) -> None:
    async def scene() -> None:
        feed = Feed(cloud.check, every=3600)
        watching = feed.watch()
        await see(watching)
        await asyncio.to_thread(feed.close)
        assert [snapshot async for snapshot in watching] == []

    run(scene())
