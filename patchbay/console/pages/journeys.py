"""The page "Journeys": the latest, and of one of them all that became of it."""

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patchbay.console.deployment import Deployment, deployment
from patchbay.console.pages.map import feed
from patchbay.console.timeline import TimeLine, time_line
from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.escape import escape
from patchbay.operations.formatting import count, cut
from patchbay.operations.health.activity import WINDOW
from patchbay.operations.health.health import SystemHealth
from patchbay.operations.journeys.journey import journey
from patchbay.operations.journeys.recent_journeys import RecentJourney, recent_journeys

ON_A_PAGE = 50  # journeys
EVENTS = 200  # of one journey, that are shown
LONGEST = 200  # characters of what is looked for: no id is longer


async def show(request: Request) -> Response:
    """Show one journey, if the request names one, and else the recent ones."""
    asked = request.query_params.get("id", "").strip()[:LONGEST]
    if asked:
        return await _one(request, asked)
    return await _latest(request)


async def _one(request: Request, asked: str) -> Response:
    try:
        line, is_cut = await run_in_threadpool(_looked_up, deployment(request), asked)
    except UserError as failure:
        return page(
            request, "journeys.html", HTTPStatus.NOT_FOUND, asked=asked, failure=str(failure)
        )
    return page(request, "journey.html", asked=asked, line=line, most=EVENTS if is_cut else None)


def _looked_up(shown: Deployment, asked: str) -> tuple[TimeLine, bool]:
    steps = journey(shown.clients, shown.stage, asked, EVENTS + 1)
    line = time_line(steps)
    is_cut = len(line.rows) > EVENTS
    del line.rows[EVENTS:]
    return line, is_cut


async def _latest(request: Request) -> Response:
    snapshot = await feed(request).now()
    if snapshot.health is None:
        raise UserError(snapshot.error or "There is no answer.")
    only_failing = request.query_params.get("failing") == "yes"
    found = await run_in_threadpool(_found, snapshot.health, only_failing)
    number = _page_number(request)
    start = (number - 1) * ON_A_PAGE
    return page(
        request,
        "journeys.html",
        asked="",
        failure=None,
        only_failing=only_failing,
        minutes=int(WINDOW.total_seconds() / 60),
        total=count(len(found)),
        first=count(start + 1),
        last=count(min(start + ON_A_PAGE, len(found))),
        journeys=[_line(each) for each in found[start : start + ON_A_PAGE]],
        newer=number - 1,
        older=number + 1 if start + ON_A_PAGE < len(found) else 0,
    )


def _found(health: SystemHealth, only_failing: bool) -> list[RecentJourney]:
    found = recent_journeys(health.attempts)
    return [each for each in found if each.failing] if only_failing else found


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _line(recent: RecentJourney) -> dict[str, object]:
    return {
        "id": recent.id,
        "name": escape(cut(recent.id, 80)),
        "at": f"{recent.last:%H:%M:%S}",
        "type": escape(cut(recent.newest_type, 60)),
        "events": count(len(recent.types)),
        "failing": ", ".join(recent.failing_consumers),
    }


routes = [Route("/journeys", show)]
