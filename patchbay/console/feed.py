"""The feed of the deployment's health: its watchers share each check.

While nobody watches, nothing is checked.
"""

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
    """The result of the last check."""

    health: SystemHealth | None
    """The health from the last check that succeeded, if any did."""
    error: str | None = None
    """The reason why the last check failed, if it did."""


class Feed:
    """Repeated checks of the health, for any number of watchers."""

    def __init__(self, check: Callable[[], SystemHealth], *, every: float) -> None:
        """Wait `every` seconds after each check."""
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
        """Return whether nobody watches, so that nothing is checked."""
        return self._polling is None

    async def now(self) -> Snapshot:
        """Return the last result if the feed is polling, or else the result of a new check."""
        if self._polling is None or not self._checks:
            await self._check()
        return self._snapshot

    async def refresh(self) -> Snapshot:
        """Check now, and return the result; all watchers get it too."""
        await self._check()
        return self._snapshot

    def close(self) -> None:
        """End every watch. May be called from any thread."""
        self._is_closed = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._notify()))

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
            # A bug in one check must not end the polling.
            log.exception("a check of the health failed")
            self._snapshot = Snapshot(
                self._snapshot.health,
                "The console has a bug. Its log, on the terminal, has the traceback.",
            )
        self._checks += 1
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
