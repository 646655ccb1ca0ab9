"""The console's ASGI app: all pages, behind the guard."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from patchbay.console import errors
from patchbay.console.deployment import Deployment
from patchbay.console.feed import Feed
from patchbay.console.guard import Guard
from patchbay.console.jobs import Jobs
from patchbay.console.keys import Keys
from patchbay.console.pages import (
    break_things,
    consumers,
    dead_letters,
    events,
    journeys,
    project,
)
from patchbay.console.pages import (
    map as map_page,
)
from patchbay.console.views import refused

STATIC = Path(__file__).parent / "static"
# Bytes. Enough for the largest event that the bus takes, pasted into a form and URL-encoded.
LARGEST_REQUEST = 4 * 1024 * 1024

PAGES: list[BaseRoute] = [
    *map_page.routes,
    *consumers.routes,
    *journeys.routes,
    *dead_letters.routes,
    *events.routes,
    *project.routes,
]


def console(deployment: Deployment, *, host: str, keys: Keys, feed: Feed) -> Guard:
    """Return the console of a deployment, as an ASGI app that is served at `host`."""
    routes = [*PAGES, *(break_things.routes if deployment.is_local else [])]
    app = Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=STATIC))],
        exception_handlers=errors.HANDLERS,
        max_body_size=LARGEST_REQUEST,
    )
    app.state.deployment = deployment
    app.state.keys = keys
    app.state.feed = feed
    app.state.jobs = Jobs()
    return Guard(app, host=host, keys=keys, refuse=refused)
