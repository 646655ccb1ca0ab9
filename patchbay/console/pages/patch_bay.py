"""The map: what is deployed, and how it does, live."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from patchbay.console import board_view
from patchbay.console.deployment import deployment
from patchbay.console.feed import Feed, Sight
from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.formatting import UNKNOWN
from patchbay.project.naming import bus_name

RECONNECT_AFTER = 2000  # milliseconds, when the console was gone for a while


async def show(request: Request) -> Response:
    """The page, as things stand."""
    sight = await feed(request).now()
    board = sight.board
    if board is None:
        raise UserError(sight.why or "There is no answer.")
    return page(
        request,
        "map.html",
        board=board,
        now=board_view.changes(board),
        jacks=board_view.jacks(board),
        cables=board_view.cables(board),
        unknown=UNKNOWN,
        bus=bus_name(deployment(request).stage),
    )


async def changes(request: Request) -> Response:
    """What each look shows, as server-sent events, for as long as the page is open."""
    return StreamingResponse(_events(feed(request)), media_type="text/event-stream")


async def _events(feed: Feed) -> AsyncIterator[str]:
    yield f"retry: {RECONNECT_AFTER}\n\n"
    async for sight in feed.watch():
        yield event(sight)


def event(sight: Sight) -> str:
    """A look, as a server-sent event."""
    if sight.why is None and sight.board:
        return _event("seen", board_view.changes(sight.board))
    since = f" since {sight.board.at:%H:%M:%S}" if sight.board else ""
    return _event("gone", {"text": f"No answer{since}. {sight.why}"})


def _event(kind: str, data: dict[str, Any]) -> str:
    # JSON holds no line breaks of its own: nothing that is in it can end the event.
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def feed(request: Request) -> Feed:
    """What all pages watch together."""
    watched: Feed = request.app.state.feed
    return watched


routes = [Route("/", show), Route("/map/feed", changes)]
