"""The page "Events": the catalogue with publishers and subscriptions."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patchbay.console.deployment import deployment
from patchbay.console.views import page
from patchbay.operations.catalogue.catalogue import catalogue


def show(request: Request) -> Response:
    """Show all events."""
    shown = deployment(request)
    known = catalogue(shown.clients, shown.stage)
    return page(
        request,
        "events.html",
        events=known.events,
        note=known.note,
        as_json=lambda value: json.dumps(value, indent=2, ensure_ascii=False),
    )


routes = [Route("/events", show)]
