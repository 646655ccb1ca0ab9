"""The feed of the deployment's health: one check for all watchers, while there are any."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from patchbay.operations.failures import EXPECTED, explain
from patchbay.operations.health.health import SystemHealth

log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class Snapshot:
    """What the last look showed."""

    health: SystemHealth | None
    """The last one that could be seen, if there ever was one."""
    error: str | None = None
    """Why there was no answer to the last look, if there was none."""


class Feed:
    """What is seen, as often as it is looked."""

    def __init__(self, check: Callable[[], SystemHealth], *, every: float) -> None:
        """Take the seconds between two checks as `every`; the time of a check comes on top."""
        self._read_health = check
        self._every = every
        self._snapshot = Snapshot(None)
        self._checks = 0
        self._changed = asyncio.Condition()
        self._watchers = 0
        self._polling: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    async def watch(self) -> AsyncGenerator[Snapshot, None]:
        """Yield the result of each check, beginning with the last one, until the feed is closed."""
        self._loop = asyncio.get_running_loop()
        self._watchers += 1
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        seen = 0
        try:
            while not self._is_closed:
                if seen != self._checks:
                    seen = self._checks
                    yield self._snapshot
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

    async def now(self) -> Snapshot:
        """Return the result of a new check, or the last one where checks are running anyway."""
        if self._polling is None or not self._checks:
            await self._check()
        return self._snapshot

    async def refresh(self) -> Snapshot:
        """Check now, after a change, and return the result; every watcher gets it as well."""
        await self._check()
        return self._snapshot

    def close(self) -> None:
        """Let everyone who watches go; from whatever thread."""
        self._is_closed = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._tell()))

    async def _poll(self) -> None:
        while True:
            await self._check()
            await asyncio.sleep(self._every)

    async def _check(self) -> None:
        try:
            self._snapshot = Snapshot(await run_in_threadpool(self._read_health))
        except EXPECTED as failure:
            self._snapshot = Snapshot(self._snapshot.health, explain(failure))
        except Exception:
            # A mistake in a look must not end them: who watches is told, and the log has the rest.
            log.exception("a look failed")
            self._snapshot = Snapshot(
                self._snapshot.health, "The console made a mistake; its log has it."
            )
        self._checks += 1
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
