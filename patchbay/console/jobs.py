"""Jobs that run in a thread, while a page polls their progress."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.operations.dead_letters.drain import DrainResult, OnProgress

KEPT = 20  # jobs, the newest, whose progress can be asked for

Work = Callable[[OnProgress], object]


@dataclass
class Job:
    """A redrive or a discard, and its progress."""

    id: str
    verb: str
    note: str = ""
    """A sentence that is shown when it is over."""
    results: dict[str, DrainResult] = field(default_factory=dict)
    """The result so far for each queue, by its name."""
    is_over: bool = False
    failure: Exception | None = None
    """The exception that ended it early, if one did."""

    @property
    def total(self) -> int:
        """Return the number of dead letters in the queues that it has begun with."""
        return sum(result.queue.count for result in self.results.values())

    @property
    def seen(self) -> int:
        """Return the number of those that it has dealt with."""
        each = self.results.values()
        return min(self.total, sum(one.done + one.skipped + len(one.failed) for one in each))

    def on_progress(self, result: DrainResult) -> None:
        """Record the progress in one queue."""
        self.results[result.queue.name] = result


class Jobs:
    """The jobs of one run of the console."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def start(self, verb: str, work: Work, note: str = "") -> Job:
        """Start a job; `verb` is a participle, such as "redriven"."""
        job = Job(secrets.token_urlsafe(8), verb, note)
        self._jobs[job.id] = job
        for old in list(self._jobs)[:-KEPT]:
            del self._jobs[old]
        # Not a daemon: on Ctrl-C, the process waits until the job is over.
        Thread(target=_run, args=(job, work), name=f"job-{job.id}").start()
        return job

    def find(self, id: str) -> Job:
        """Return the job with that id; raises UserError."""
        if id not in self._jobs:
            raise UserError("The console no longer has this job: reload the page.")
        return self._jobs[id]


def _run(job: Job, work: Work) -> None:
    try:
        work(job.on_progress)
    except (UserError, BotoCoreError, ClientError) as failure:
        job.failure = failure
    except Exception as bug:
        job.failure = bug
        raise
    finally:
        job.is_over = True
