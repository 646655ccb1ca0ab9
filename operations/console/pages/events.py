"""The page "Events"."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from operations.console.views import page


def show(request: Request) -> Response:
    """The page."""
    return page(request, "events.html")


routes = [Route("/events", show)]
