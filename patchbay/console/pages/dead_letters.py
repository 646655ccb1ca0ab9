"""The page "Dead letters": by consumer and reason, with redrive and discard."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patchbay.console.deployment import deployment
from patchbay.console.jobs import Job, Jobs, Work
from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.browse import DEFAULT_LIMIT, browse
from patchbay.operations.dead_letters.dead_letter import (
    WHERE,
    DeadLetter,
    DeadLetterQueue,
    Group,
    NotRedrivable,
    grouped,
)
from patchbay.operations.dead_letters.discard import discard
from patchbay.operations.dead_letters.last_error import log_lines_of
from patchbay.operations.dead_letters.queues import queues
from patchbay.operations.dead_letters.redrive import count_selected, redrive
from patchbay.operations.dead_letters.report import render
from patchbay.operations.dead_letters.selection import SEARCHED, Selection, find
from patchbay.operations.escape import escape, escape_lines, indented
from patchbay.operations.failures import explain
from patchbay.operations.log_lines import Line

AT_ONCE = 8  # queues that are browsed at the same time
LISTED = 20  # dead letters of one reason that the page lists
LONGEST = 20_000  # characters of a body, or of a traceback
LONGEST_REASON = 300


@dataclass(frozen=True)
class BrowsedQueue:
    """A dead-letter queue, and its first dead letters."""

    queue: DeadLetterQueue
    dead_letters: list[DeadLetter]

    @property
    def where(self) -> str:
        return WHERE[self.queue.kind]

    @property
    def can_redrive(self) -> bool:
        return not isinstance(self.queue.redrive_target, NotRedrivable)

    @property
    def groups(self) -> list[Group]:
        return grouped(self.dead_letters)


def show(request: Request) -> Response:
    """Show the dead letters of a consumer, or of all."""
    shown, owner = deployment(request), request.query_params.get("consumer") or None
    known = queues(shown.clients, shown.stage)
    owners = sorted({queue.owner for queue in known} | ({owner} if owner else set()))
    selected = [queue for queue in known if owner in (None, queue.owner, queue.name)]
    return page(
        request,
        "dead_letters.html",
        owner=owner,
        owners=owners,
        browsed=_browse(shown.clients, [queue for queue in selected if queue.count]),
        empty_queues=sum(not queue.count for queue in selected),
        listed=LISTED,
        as_time=as_time,
        reason_of=lambda text: escape(text, LONGEST_REASON),
        path=dead_letter_path,
    )


def _browse(clients: Clients, selected: Iterable[DeadLetterQueue]) -> list[BrowsedQueue]:
    clients.client("logs")  # created before the threads start, so that they share it
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(
            pool.map(
                lambda queue: BrowsedQueue(queue, browse(clients, queue, DEFAULT_LIMIT)), selected
            )
        )


def show_one(request: Request) -> Response:
    """Show one dead letter in full."""
    shown, path = deployment(request), request.path_params
    dead_letter = find(shown.clients, shown.stage, path["id"], path["queue"], SEARCHED)
    body = indented(dead_letter.body, LONGEST)
    template = "_dead_letter.html" if "HX-Request" in request.headers else "dead_letter.html"
    return page(
        request,
        template,
        dead_letter=dead_letter,
        facts=_facts(dead_letter),
        reason=escape(dead_letter.reason, LONGEST),
        trace=escape_lines(dead_letter.traceback or "", LONGEST),
        body=escape_lines(body, LONGEST),
        is_cut=len(body) > LONGEST,
        log=[_logged(line) for line in log_lines_of(shown.clients, dead_letter)],
        can_redrive=BrowsedQueue(dead_letter.queue, []).can_redrive,
    )


async def redrive_selected(request: Request) -> Response:
    """Redrive the dead letters that the form selects."""
    shown, selection = deployment(request), _selection(await request.form())
    work = partial(_redrive, shown.clients, shown.stage, selection)
    return _started(request, "redriven", work)


async def confirm_discard(request: Request) -> Response:
    """Show how many would be discarded, and ask for confirmation."""
    shown, selection = deployment(request), _selection(await request.form())
    count = await run_in_threadpool(count_selected, shown.clients, shown.stage, selection)
    return page(
        request, "_discard.html", selection=selection, count=count, folder=_file(shown.stage).parent
    )


async def discard_selected(request: Request) -> Response:
    """Discard the dead letters that the form selects, if their number was typed."""
    shown, form = deployment(request), await request.form()
    selection, file = _selection(form), _file(shown.stage)
    count = await run_in_threadpool(count_selected, shown.clients, shown.stage, selection)
    if form.get("typed") != str(count):
        raise UserError(
            f"Nothing was discarded: the typed number is not {count}. Type {count} to discard them."
        )
    work = partial(_discard, shown.clients, shown.stage, selection, file)
    return _started(request, "discarded", work, f"Their messages are in {file}.")


def show_job(request: Request) -> Response:
    """Show the progress of a job."""
    return _job(request, jobs(request).find(request.path_params["id"]))


def _redrive(clients: Clients, stage: str, selection: Selection, on_progress: Any) -> None:
    redrive(clients, stage, selection, on_progress=on_progress)


def _discard(
    clients: Clients, stage: str, selection: Selection, file: Path, on_progress: Any
) -> None:
    discard(clients, stage, selection, file, on_progress=on_progress)


def _started(request: Request, verb: str, work: Work, note: str = "") -> Response:
    return _job(request, jobs(request).start(verb, work, note))


def _job(request: Request, job: Job) -> Response:
    lines = [line.plain for each in job.results.values() for line in render(each, job.verb, False)]
    return page(
        request,
        "_job.html",
        job=job,
        lines=lines,
        is_well=not any(each.failed or each.blocked for each in job.results.values()),
        stopped=explain(job.failure) if job.failure else None,
    )


def _selection(form: FormData) -> Selection:
    """Return the selection in a form; raises UserError where it is incomplete."""
    queue, reason = form.get("queue"), form.get("reason")
    ids = tuple(each for each in form.getlist("id") if isinstance(each, str) and each)
    if not isinstance(queue, str) or not queue:
        raise UserError("The request does not say which dead letters to use: reload the page.")
    match form.get("which"):
        case "all":
            return Selection(owner=queue)
        case "checked" if ids:
            return Selection(owner=queue, ids=ids)
        case "checked":
            raise UserError("No dead letter is checked: check at least one.")
        case "reason" if isinstance(reason, str) and reason:
            return Selection(owner=queue, group=reason)
    raise UserError("The request does not say which dead letters to use: reload the page.")


def _file(stage: str) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path.cwd() / f"dead-letters-{stage}-{moment}.jsonl"


def _facts(dead_letter: DeadLetter) -> list[tuple[str, str]]:
    event = dead_letter.event
    facts: list[tuple[str, str | None]] = [
        ("Event", f"{event.type} {event.id}" if event else None),
        ("Journey", event.journey if event else None),
        *((name, value) for name, value in (event.ids.items() if event else ())),
        (
            "Attempts",
            str(dead_letter.attempts) if dead_letter.attempts is not None else "not known",
        ),
        ("First", as_time(dead_letter.first)),
        ("Last", as_time(dead_letter.last) if dead_letter.last else "not known"),
        ("Queue", dead_letter.queue.name),
        ("Redrive target", str(dead_letter.queue.redrive_target)),
    ]
    return [(name, escape(value, LONGEST_REASON)) for name, value in facts if value]


def _logged(line: Line) -> Mapping[str, str]:
    text = " ".join(str(line[each]) for each in ("message", "reason") if line.get(each))
    attempt = f"attempt {line['attempt']}: " if "attempt" in line else ""
    return {"at": as_time(line["at"]), "text": escape(f"{attempt}{text}", LONGEST_REASON)}


def as_time(moment: datetime) -> str:
    """Format a time in UTC."""
    return moment.strftime("%d %b %H:%M:%S")


def dead_letter_path(dead_letter: DeadLetter) -> str:
    """Return the path of a dead letter's page."""
    return (
        f"/dead-letters/{quote(dead_letter.queue.name, safe='')}/{quote(dead_letter.id, safe='')}"
    )


def jobs(request: Request) -> Jobs:
    """Return the console's jobs."""
    found: Jobs = request.app.state.jobs
    return found


routes = [
    Route("/dead-letters", show),
    Route("/dead-letters/redrive", redrive_selected, methods=["POST"]),
    Route("/dead-letters/discard", confirm_discard, methods=["POST"]),
    Route("/dead-letters/discarded", discard_selected, methods=["POST"]),
    Route("/dead-letters/jobs/{id}", show_job),
    Route("/dead-letters/{queue}/{id}", show_one),
]
