"""Work that takes longer than a page may: it goes on in a thread, and pages ask how far it is."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.operations.dead_letters.drain import Outcome, Tell

KEPT = 20  # jobs, of which the pages can still ask

Work = Callable[[Tell], object]


@dataclass
class Job:
    """Letters that are being put back, or discarded."""

    id: str
    verb: str
    note: str = ""
    """What else there is to know once it is over."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By the queue's name."""
    is_over: bool = False
    failure: Exception | None = None
    """Why it ended early; a mistake of ours as well."""

    @property
    def total(self) -> int:
        """Letters, in the queues that it has come to."""
        return sum(outcome.queue.count for outcome in self.outcomes.values())

    @property
    def seen(self) -> int:
        """How many of these it has gone through."""
        each = self.outcomes.values()
        return min(self.total, sum(one.done + one.kept + len(one.failed) for one in each))

    def tell(self, outcome: Outcome) -> None:
        """Take in what has become of a queue's letters by now."""
        self.outcomes[outcome.queue.name] = outcome


class Jobs:
    """The jobs of one run of the console."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def start(self, verb: str, work: Work, note: str = "") -> Job:
        """Begin; `verb` says what is being done, as in "put back"."""
        job = Job(secrets.token_urlsafe(8), verb, note)
        self._jobs[job.id] = job
        for old in list(self._jobs)[:-KEPT]:
            del self._jobs[old]
        # Not a daemon: Ctrl-C waits for it, and what it has begun with is not left half way.
        Thread(target=_run, args=(job, work), name=f"job-{job.id}").start()
        return job

    def find(self, id: str) -> Job:
        """The job of that id; raises UserError."""
        if id not in self._jobs:
            raise UserError("Nobody knows of that work any more: reload the page.")
        return self._jobs[id]


def _run(job: Job, work: Work) -> None:
    try:
        work(job.tell)
    except (UserError, BotoCoreError, ClientError) as failure:
        job.failure = failure
    except Exception as mistake:
        job.failure = mistake
        raise
    finally:
        job.is_over = True
