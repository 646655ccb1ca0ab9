"""The page "Map": publishers, rules and consumers, with their health, live."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from patchbay.console import health_view
from patchbay.console.deployment import deployment
from patchbay.console.feed import Feed, Snapshot
from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.formatting import UNKNOWN
from patchbay.project.naming import bus_name

RECONNECT_AFTER = 2000  # milliseconds, when the connection to the console was lost


async def show(request: Request) -> Response:
    """Show the page with the current health."""
    snapshot = await feed(request).now()
    health = snapshot.health
    if health is None:
        raise UserError(
            snapshot.error or "The health of the deployment is not known yet: reload the page."
        )
    return page(
        request,
        "map.html",
        health=health,
        now=health_view.changes(health),
        ports=health_view.ports(health),
        connections=health_view.connections(health),
        unknown=UNKNOWN,
        bus=bus_name(deployment(request).stage),
    )


async def changes(request: Request) -> Response:
    """Send the result of each check as a server-sent event, as long as the page is open."""
    return StreamingResponse(_events(feed(request)), media_type="text/event-stream")


async def _events(feed: Feed) -> AsyncIterator[str]:
    yield f"retry: {RECONNECT_AFTER}\n\n"
    async for snapshot in feed.watch():
        yield event(snapshot)


def event(snapshot: Snapshot) -> str:
    """Format the result of a check as a server-sent event."""
    if snapshot.error is None and snapshot.health:
        return _event("seen", health_view.changes(snapshot.health))
    since = f" since {snapshot.health.at:%H:%M:%S}" if snapshot.health else ""
    return _event("gone", {"text": f"No answer{since}. {snapshot.error}"})


def _event(kind: str, data: dict[str, Any]) -> str:
    # JSON on one line: its content can't end the event.
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


def feed(request: Request) -> Feed:
    """Return the feed that all pages share."""
    shared: Feed = request.app.state.feed
    return shared


routes = [Route("/", show), Route("/map/feed", changes)]
