"""The map: what is deployed, and how it does."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from operations.console.views import page


def show(request: Request) -> Response:
    """The page."""
    return page(request, "map.html")


routes = [Route("/", show)]
