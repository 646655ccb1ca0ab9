"""The page "Journeys": the recent journeys, and the time line of one."""

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
EVENTS = 200  # of one journey, at most
LONGEST = 200  # characters of an id that is searched for


async def show(request: Request) -> Response:
    """Show the journey that the request names, or else the recent journeys."""
    searched = request.query_params.get("id", "").strip()[:LONGEST]
    if searched:
        return await _one(request, searched)
    return await _recent(request)


async def _one(request: Request, searched: str) -> Response:
    try:
        line, is_cut = await run_in_threadpool(_time_line, deployment(request), searched)
    except UserError as failure:
        return page(
            request, "journeys.html", HTTPStatus.NOT_FOUND, searched=searched, failure=str(failure)
        )
    most = EVENTS if is_cut else None
    return page(request, "journey.html", searched=searched, line=line, most=most)


def _time_line(shown: Deployment, id: str) -> tuple[TimeLine, bool]:
    """Return the time line of a journey, and whether it is cut."""
    steps = journey(shown.clients, shown.stage, id, EVENTS + 1)
    line = time_line(steps)
    is_cut = len(line.rows) > EVENTS
    del line.rows[EVENTS:]
    return line, is_cut


async def _recent(request: Request) -> Response:
    snapshot = await feed(request).now()
    if snapshot.health is None:
        raise UserError(
            snapshot.error or "The health of the deployment is not known yet: reload the page."
        )
    only_failing = request.query_params.get("failing") == "yes"
    found = await run_in_threadpool(_recent_journeys, snapshot.health, only_failing)
    number = _page_number(request)
    start = (number - 1) * ON_A_PAGE
    return page(
        request,
        "journeys.html",
        searched="",
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


def _recent_journeys(health: SystemHealth, only_failing: bool) -> list[RecentJourney]:
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
