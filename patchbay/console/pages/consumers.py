"""The page of one consumer: its subscriptions, its health, and pause and resume."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patchbay.console import health_view
from patchbay.console.deployment import deployment
from patchbay.console.feed import Snapshot
from patchbay.console.pages.map import feed
from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.health.health import SystemHealth
from patchbay.operations.pause import pause, resume


async def show(request: Request) -> Response:
    """Show a consumer, as a page or as the panel's content."""
    return _page(request, await feed(request).now())


async def pause_deliveries(request: Request) -> Response:
    """Pause the deliveries to a consumer."""
    return await _switch(request, on=False)


async def resume_deliveries(request: Request) -> Response:
    """Resume the deliveries to a consumer."""
    return await _switch(request, on=True)


async def _switch(request: Request, *, on: bool) -> Response:
    shown = deployment(request)
    name = request.path_params["name"]
    await run_in_threadpool(resume if on else pause, shown.clients, shown.stage, name)
    message = (
        f"{name} is resumed: it receives its events again."
        if on
        else f"{name} is paused: its events wait."
    )
    return _page(request, await feed(request).refresh(), message)


def _page(request: Request, snapshot: Snapshot, message: str = "") -> Response:
    health = _health(snapshot)
    name = request.path_params["name"]
    found = [consumer for consumer in health.consumers if consumer.name == name]
    if not found:
        raise UserError(
            f"There is no consumer {name!r} on the stage {deployment(request).stage!r}. "
            "The map shows which there are."
        )
    template = "_consumer.html" if "HX-Request" in request.headers else "consumer.html"
    details = health_view.details(found[0], health)
    return page(request, template, consumer=details, message=message)


def _health(snapshot: Snapshot) -> SystemHealth:
    if snapshot.health is None or snapshot.error:
        raise UserError(
            snapshot.error or "The health of the deployment is not known yet: reload the page."
        )
    return snapshot.health


routes = [
    Route("/consumers/{name}", show),
    Route("/consumers/{name}/pause", pause_deliveries, methods=["POST"]),
    Route("/consumers/{name}/resume", resume_deliveries, methods=["POST"]),
]
