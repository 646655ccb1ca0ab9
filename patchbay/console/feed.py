"""Looks at the deployment for as long as somebody watches: once for all who do."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from patchbay.operations.failures import EXPECTED, explained
from patchbay.operations.health.health import Board

log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class Sight:
    """What the last look showed."""

    board: Board | None
    """The last one that could be seen, if there ever was one."""
    why: str | None = None
    """Why there was no answer to the last look, if there was none."""


class Feed:
    """What is seen, as often as it is looked."""

    def __init__(self, look: Callable[[], Board], *, every: float) -> None:
        """`every` is the seconds between two looks; each look takes what it takes besides."""
        self._look = look
        self._every = every
        self._sight = Sight(None)
        self._looks = 0
        self._changed = asyncio.Condition()
        self._watchers = 0
        self._polling: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    async def watch(self) -> AsyncGenerator[Sight, None]:
        """What each look shows, beginning with the last one, until the feed is closed."""
        self._loop = asyncio.get_running_loop()
        self._watchers += 1
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        seen = 0
        try:
            while not self._is_closed:
                if seen != self._looks:
                    seen = self._looks
                    yield self._sight
                    continue
                async with self._changed:
                    await self._changed.wait()
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._polling.cancel()
                self._polling = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody watches, and so nobody looks."""
        return self._polling is None

    async def now(self) -> Sight:
        """What a look shows at this moment, or the last one where looks are being taken."""
        if self._polling is None or not self._looks:
            await self._take_a_look()
        return self._sight

    async def look_again(self) -> Sight:
        """What a look shows, after something was changed: to everyone who watches as well."""
        await self._take_a_look()
        return self._sight

    def close(self) -> None:
        """Let everyone who watches go; from whatever thread."""
        self._is_closed = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._tell()))

    async def _poll(self) -> None:
        while True:
            await self._take_a_look()
            await asyncio.sleep(self._every)

    async def _take_a_look(self) -> None:
        try:
            self._sight = Sight(await run_in_threadpool(self._look))
        except EXPECTED as failure:
            self._sight = Sight(self._sight.board, explained(failure))
        except Exception:
            # A mistake in a look must not end them: who watches is told, and the log has the rest.
            log.exception("a look failed")
            self._sight = Sight(self._sight.board, "The console made a mistake; its log has it.")
        self._looks += 1
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
