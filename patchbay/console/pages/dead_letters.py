"""Dead letters: whose they are, why they died, and the way back."""

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
from patchbay.operations.dead_letters.browse import LOOK_AT, peek
from patchbay.operations.dead_letters.dead_letter import (
    WHERE,
    DeadLetter,
    DeadLetterQueue,
    Group,
    NoWay,
    grouped,
)
from patchbay.operations.dead_letters.discard import discard
from patchbay.operations.dead_letters.last_error import logged_about
from patchbay.operations.dead_letters.queues import queues
from patchbay.operations.dead_letters.redrive import count_meant, redrive
from patchbay.operations.dead_letters.report import lines
from patchbay.operations.dead_letters.selection import SEARCHED, Selection, find
from patchbay.operations.escape import pretty, visible, visible_lines
from patchbay.operations.failures import explained
from patchbay.operations.log_lines import Line

AT_ONCE = 8  # queues that are looked into
LISTED = 20  # letters of one reason that the page has a line for
LONGEST = 20_000  # characters of a body, or of a traceback
LONGEST_REASON = 300


@dataclass(frozen=True)
class Seen:
    """A queue, and what a look into it has shown."""

    queue: DeadLetterQueue
    letters: list[DeadLetter]

    @property
    def where(self) -> str:
        return WHERE[self.queue.kind]

    @property
    def can_go_back(self) -> bool:
        return not isinstance(self.queue.way, NoWay)

    @property
    def groups(self) -> list[Group]:
        return grouped(self.letters)


def show(request: Request) -> Response:
    """The dead letters of a consumer, or of all."""
    shown, owner = deployment(request), request.query_params.get("consumer") or None
    there = queues(shown.clients, shown.stage)
    owners = sorted({queue.owner for queue in there} | ({owner} if owner else set()))
    mine = [queue for queue in there if owner in (None, queue.owner, queue.name)]
    return page(
        request,
        "dead_letters.html",
        owner=owner,
        owners=owners,
        looked=_looked(shown.clients, [queue for queue in mine if queue.count]),
        empty_queues=sum(not queue.count for queue in mine),
        listed=LISTED,
        as_time=as_time,
        reason_of=lambda text: visible(text, LONGEST_REASON),
        path=letter_path,
    )


def _looked(clients: Clients, those: Iterable[DeadLetterQueue]) -> list[Seen]:
    clients.client("logs")  # once, and not by each thread
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda queue: Seen(queue, peek(clients, queue, LOOK_AT)), those))


def show_letter(request: Request) -> Response:
    """One letter, in full."""
    shown, named = deployment(request), request.path_params
    letter = find(shown.clients, shown.stage, named["id"], named["queue"], SEARCHED)
    body = pretty(letter.body, LONGEST)
    template = "_letter.html" if "HX-Request" in request.headers else "letter.html"
    return page(
        request,
        template,
        letter=letter,
        facts=_facts(letter),
        reason=visible(letter.reason, LONGEST),
        trace=visible_lines(letter.traceback or "", LONGEST),
        body=visible_lines(body, LONGEST),
        is_cut=len(body) > LONGEST,
        log=[_logged(line) for line in logged_about(shown.clients, letter)],
        can_go_back=Seen(letter.queue, []).can_go_back,
    )


async def put_back(request: Request) -> Response:
    """Put back what the form says: the checked ones, those of a reason, or all of a queue."""
    shown, selection = deployment(request), _meant(await request.form())
    work = partial(_put_back, shown.clients, shown.stage, selection)
    return _started(request, "put back", work)


async def ask(request: Request) -> Response:
    """What discarding would do, and whether that is meant."""
    shown, selection = deployment(request), _meant(await request.form())
    count = await run_in_threadpool(count_meant, shown.clients, shown.stage, selection)
    return page(
        request, "_discard.html", selection=selection, count=count, folder=_file(shown.stage).parent
    )


async def throw_away(request: Request) -> Response:
    """Discard them, where who asks has typed how many there are."""
    shown, form = deployment(request), await request.form()
    selection, file = _meant(form), _file(shown.stage)
    count = await run_in_threadpool(count_meant, shown.clients, shown.stage, selection)
    if form.get("typed") != str(count):
        raise UserError(f"Nothing was discarded: there are {count}, and not what was typed.")
    work = partial(_throw_away, shown.clients, shown.stage, selection, file)
    return _started(request, "discarded", work, f"What they held is in {file}.")


def show_job(request: Request) -> Response:
    """How far some work is."""
    return _job(request, jobs(request).find(request.path_params["id"]))


def _put_back(clients: Clients, stage: str, selection: Selection, tell: Any) -> None:
    redrive(clients, stage, selection, tell=tell)


def _throw_away(clients: Clients, stage: str, selection: Selection, file: Path, tell: Any) -> None:
    discard(clients, stage, selection, file, tell=tell)


def _started(request: Request, verb: str, work: Work, note: str = "") -> Response:
    return _job(request, jobs(request).start(verb, work, note))


def _job(request: Request, job: Job) -> Response:
    told = [line.plain for each in job.outcomes.values() for line in lines(each, job.verb, False)]
    return page(
        request,
        "_job.html",
        job=job,
        told=told,
        is_well=not any(each.failed or each.why_not for each in job.outcomes.values()),
        stopped=explained(job.failure) if job.failure else None,
    )


def _meant(form: FormData) -> Selection:
    """Which letters a form means; raises UserError where that is not said in full."""
    queue, reason = form.get("queue"), form.get("reason")
    ids = tuple(each for each in form.getlist("id") if isinstance(each, str) and each)
    if not isinstance(queue, str) or not queue:
        raise UserError("It is not said which letters are meant.")
    match form.get("which"):
        case "all":
            return Selection(owner=queue)
        case "checked" if ids:
            return Selection(owner=queue, ids=ids)
        case "checked":
            raise UserError("None was checked.")
        case "reason" if isinstance(reason, str) and reason:
            return Selection(owner=queue, group=reason)
    raise UserError("It is not said which letters are meant.")


def _file(stage: str) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path.cwd() / f"dead-letters-{stage}-{moment}.jsonl"


def _facts(letter: DeadLetter) -> list[tuple[str, str]]:
    event = letter.event
    facts: list[tuple[str, str | None]] = [
        ("Event", f"{event.type} {event.id}" if event else None),
        ("Order", event.order_id if event else None),
        ("Attempts", str(letter.attempts) if letter.attempts is not None else "not known"),
        ("First", as_time(letter.first)),
        ("Last", as_time(letter.last) if letter.last else "not known"),
        ("In", letter.queue.name),
        ("Goes back to", str(letter.queue.way)),
    ]
    return [(name, visible(value, LONGEST_REASON)) for name, value in facts if value]


def _logged(line: Line) -> Mapping[str, str]:
    said = " ".join(str(line[each]) for each in ("message", "reason") if line.get(each))
    attempt = f"attempt {line['attempt']}: " if "attempt" in line else ""
    return {"at": as_time(line["at"]), "said": visible(f"{attempt}{said}", LONGEST_REASON)}


def as_time(moment: datetime) -> str:
    """A moment, for people, in UTC."""
    return moment.strftime("%d %b %H:%M:%S")


def letter_path(letter: DeadLetter) -> str:
    """Where the page shows it."""
    return f"/dead-letters/{quote(letter.queue.name, safe='')}/{quote(letter.id, safe='')}"


def jobs(request: Request) -> Jobs:
    """The work that is under way."""
    found: Jobs = request.app.state.jobs
    return found


routes = [
    Route("/dead-letters", show),
    Route("/dead-letters/redrive", put_back, methods=["POST"]),
    Route("/dead-letters/discard", ask, methods=["POST"]),
    Route("/dead-letters/discarded", throw_away, methods=["POST"]),
    Route("/dead-letters/jobs/{id}", show_job),
    Route("/dead-letters/{queue}/{id}", show_letter),
]
