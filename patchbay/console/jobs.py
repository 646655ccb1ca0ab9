"""Jobs that take longer than a page may: each runs in a thread, and pages poll it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.operations.dead_letters.drain import DrainResult, OnProgress

KEPT = 20  # jobs, of which the pages can still ask

Work = Callable[[OnProgress], object]


@dataclass
class Job:
    """Dead letters that are being redriven or discarded."""

    id: str
    verb: str
    note: str = ""
    """What else there is to know once it is over."""
    results: dict[str, DrainResult] = field(default_factory=dict)
    """By the queue's name."""
    is_over: bool = False
    failure: Exception | None = None
    """Why it ended early; a mistake of ours as well."""

    @property
    def total(self) -> int:
        """Dead letters, in the queues that it has come to."""
        return sum(result.queue.count for result in self.results.values())

    @property
    def seen(self) -> int:
        """How many of these it has gone through."""
        each = self.results.values()
        return min(self.total, sum(one.done + one.skipped + len(one.failed) for one in each))

    def on_progress(self, result: DrainResult) -> None:
        """Take in what has become of a queue's dead letters by now."""
        self.results[result.queue.name] = result


class Jobs:
    """The jobs of one run of the console."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def start(self, verb: str, work: Work, note: str = "") -> Job:
        """Start a job; `verb` says what it does, such as "redriven"."""
        job = Job(secrets.token_urlsafe(8), verb, note)
        self._jobs[job.id] = job
        for old in list(self._jobs)[:-KEPT]:
            del self._jobs[old]
        # Not a daemon: Ctrl-C waits for it, and what it has begun with is not left half way.
        Thread(target=_run, args=(job, work), name=f"job-{job.id}").start()
        return job

    def find(self, id: str) -> Job:
        """Return the job with that id; raises UserError."""
        if id not in self._jobs:
            raise UserError("This job is not known any more: reload the page.")
        return self._jobs[id]


def _run(job: Job, work: Work) -> None:
    try:
        work(job.on_progress)
    except (UserError, BotoCoreError, ClientError) as failure:
        job.failure = failure
    except Exception as mistake:
        job.failure = mistake
        raise
    finally:
        job.is_over = True
