"""The page "Break things"."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from operations.console.views import page


def show(request: Request) -> Response:
    """The page."""
    return page(request, "break_things.html")


routes = [Route("/break", show)]
