"""Has the functions of the embedded cloud start one environment at a time each.

On AWS, a burst starts as many environments at once as there are invocations, on as many machines.
Here they would share the laptop's few cores: each start takes a second of one, and by the time that
all are up, the first few would have done the work of all.
"""

import time
from collections.abc import Callable
from threading import Condition
from typing import Any

# So long a start counts as one, in seconds, should its end never be told.
PATIENCE = 5.0

Acquired = tuple[Any, str]


def one_at_a_time() -> None:
    """From now on, an invocation that finds an environment starting waits for one to be free."""
    # Where the tests run, there is no such package.
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    turns = Turns(lambda_svc.acquire_worker)
    release, spawn = lambda_svc.release_worker, lambda_runtime.Worker._spawn

    def release_and_tell(worker: Any) -> None:
        release(worker)
        turns.tell()

    def spawn_and_tell(worker: Any) -> None:
        try:
            spawn(worker)
        finally:
            turns.started(worker.func_name)

    lambda_svc.acquire_worker = turns.acquire
    lambda_svc.release_worker = release_and_tell
    lambda_runtime.Worker._spawn = spawn_and_tell


class Turns:
    """Whose turn it is to start an environment, function by function."""

    def __init__(self, acquire: Callable[..., Acquired]) -> None:
        self._acquire = acquire
        self._starting: dict[str, float] = {}
        self._changed = Condition()

    def acquire(self, function: str, config: Any, code: bytes, **options: Any) -> Acquired:
        """A free environment, or a new one unless one is starting; waits for whichever is first."""
        with self._changed:
            while True:
                left = self._starting.get(function, 0.0) + PATIENCE - time.monotonic()
                # With a limit of one, what exists is given out, and nothing is started.
                limit = 1 if left > 0 else None
                worker, how = self._acquire(
                    function, config, code, max_concurrency=limit, **options
                )
                if how == "spawn":
                    self._starting[function] = time.monotonic()
                if worker:
                    return worker, how
                self._changed.wait(left)

    def started(self, function: str) -> None:
        """An environment is up, or has failed to come up."""
        with self._changed:
            self._starting.pop(function, None)
            self._changed.notify_all()

    def tell(self) -> None:
        """An environment is free."""
        with self._changed:
            self._changed.notify_all()
