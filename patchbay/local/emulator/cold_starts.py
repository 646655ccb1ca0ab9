"""Cold starts in the embedded cloud: each function starts one environment at a time.

On AWS, a burst starts as many environments at once as there are invocations, on as many machines.
Here they would share the laptop's few cores: each start takes a second of a core, and by the time
that all have started, the first few would have finished the work.
"""

import time
from collections.abc import Callable
from threading import Condition
from typing import Any

# Seconds after which a start no longer counts as one, if its end was never reported.
PATIENCE = 5.0

Acquired = tuple[Any, str]


def one_at_a_time() -> None:
    """Patch MiniStack so that an invocation waits while another environment is starting."""
    # Imported here: the tests' own environment does not have these packages.
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    turns = Turns(lambda_svc.acquire_worker)
    release, spawn = lambda_svc.release_worker, lambda_runtime.Worker._spawn

    def release_and_notify(worker: Any) -> None:
        release(worker)
        turns.released()

    def spawn_and_notify(worker: Any) -> None:
        try:
            spawn(worker)
        finally:
            turns.started(worker.func_name)

    lambda_svc.acquire_worker = turns.acquire
    lambda_svc.release_worker = release_and_notify
    lambda_runtime.Worker._spawn = spawn_and_notify


class Turns:
    """The environments that are starting, by function."""

    def __init__(self, acquire: Callable[..., Acquired]) -> None:
        self._acquire = acquire
        self._starting: dict[str, float] = {}
        self._changed = Condition()

    def acquire(self, function: str, config: Any, code: bytes, **options: Any) -> Acquired:
        """Return a free environment, or a new one if none is starting; else wait."""
        with self._changed:
            while True:
                left = self._starting.get(function, 0.0) + PATIENCE - time.monotonic()
                # With a limit of one, a free environment is returned, and none is started.
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
        """Note that an environment has started, or has failed to start."""
        with self._changed:
            self._starting.pop(function, None)
            self._changed.notify_all()

    def released(self) -> None:
        """Note that an environment is free."""
        with self._changed:
            self._changed.notify_all()
