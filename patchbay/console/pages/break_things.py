"""The page "Break things": it breaks and repairs consumers, and the project's own troubles."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patchbay.console import health_view
from patchbay.console.additions import Action, Additions, NumberField, find
from patchbay.console.breakage import break_, broken, mend
from patchbay.console.deployment import Deployment, deployment
from patchbay.console.pages.map import feed
from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.pause import pause, resume
from patchbay.project.naming import bus_name

CONSUMERS = "_break_consumers.html"
SURROUNDINGS = "_break_surroundings.html"

Switch = Callable[[Any, str, str], object]
SWITCHES: dict[str, tuple[Switch, str]] = {
    "break": (break_, "{} is broken: its role is denied DynamoDB, and each of its attempts fails."),
    "mend": (mend, "{} is mended: its role has its rights again."),
    "pause": (pause, "{} is paused: its events wait."),
    "resume": (resume, "{} is resumed: it receives its events again."),
}


async def show(request: Request) -> Response:
    """Show the page."""
    surroundings, consumers = await _surroundings(request), await _consumers(request)
    return page(request, "break_things.html", **surroundings, **consumers)


async def surroundings(request: Request) -> Response:
    """Show the part with the project's own troubles and actions."""
    return page(request, SURROUNDINGS, **await _surroundings(request))


async def consumers(request: Request) -> Response:
    """Show the part with the consumers."""
    return page(request, CONSUMERS, **await _consumers(request))


async def switch_trouble(request: Request) -> Response:
    """Switch a trouble to another mode."""
    trouble = find(_additions(request).troubles, request.path_params["id"])
    mode = trouble.mode_named(request.path_params["mode"])
    await run_in_threadpool(trouble.switch, mode.name)
    return await surroundings(request)


async def run_action(request: Request) -> Response:
    """Run one of the project's actions, with the numbers in the form."""
    action = find(_additions(request).actions, request.path_params["id"])
    async with request.form() as form:
        arguments = {field.name: _number(action, field, form) for field in action.fields}
    message = await run_in_threadpool(action.run, **arguments)
    return page(request, SURROUNDINGS, **await _surroundings(request, message or ""))


def _number(action: Action, field: NumberField, form: FormData) -> int:
    text = str(form.get(field.name, ""))
    # At most nine digits: int() of thousands of digits would be slow.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
    if number is None or not field.least <= number <= field.most:
        raise UserError(
            f"{action.title}: {field.label!r} must be a number from {field.least} to {field.most}."
        )
    return number


async def switch(request: Request) -> Response:
    """Break, mend, pause or resume a consumer."""
    shown, name = deployment(request), request.path_params["name"]
    what = request.path_params["what"]
    if what not in SWITCHES:
        raise UserError(f"{what!r} can't be done to a consumer. There are: {', '.join(SWITCHES)}.")
    change, message = SWITCHES[what]
    await run_in_threadpool(change, shown.clients, shown.stage, name)
    await feed(request).refresh()
    return page(request, CONSUMERS, **await _consumers(request, message.format(name)))


async def repair_all(request: Request) -> Response:
    """Repair all troubles and consumers. Dead letters stay in their queues."""
    await run_in_threadpool(_repair_all, deployment(request))
    await feed(request).refresh()
    return Response(headers={"HX-Refresh": "true"})


def _repair_all(shown: Deployment) -> None:
    for trouble in shown.additions.troubles if shown.additions else ():
        trouble.repair()
    for consumer in deployed_consumers(shown.clients, bus_name(shown.stage)):
        mend(shown.clients, shown.stage, consumer.name)
        resume(shown.clients, shown.stage, consumer.name)


def _additions(request: Request) -> Additions:
    additions = deployment(request).additions
    if additions is None:
        raise UserError(
            "This console can't reach the project's troubles and actions: "
            "use the one that `patchbay local` opens."
        )
    return additions


async def _surroundings(request: Request, message: str = "") -> dict[str, Any]:
    additions = deployment(request).additions
    if additions is None:
        return {"surroundings": None, "message": message}
    return {"surroundings": await run_in_threadpool(_state_of, additions), "message": message}


def _state_of(additions: Additions) -> dict[str, Any]:
    """Return each trouble with its mode, and each action with its progress."""
    return {
        "actions": [(action, action.progress()) for action in additions.actions],
        "troubles": [(trouble, trouble.mode()) for trouble in additions.troubles],
    }


async def _consumers(request: Request, message: str = "") -> dict[str, Any]:
    shown = deployment(request)
    snapshot = await feed(request).now()
    if snapshot.health is None:
        raise UserError(
            snapshot.error or "The health of the deployment is not known yet: reload the page."
        )
    are_broken = await run_in_threadpool(_broken, shown)
    return {
        "consumers": [
            {
                "name": each.name,
                "is_broken": each.name in are_broken,
                "is_paused": each.state == "paused",
                **health_view.changes_of(each),
            }
            for each in snapshot.health.consumers
        ],
        "switched": message,
    }


def _broken(shown: Deployment) -> set[str]:
    return broken(shown.clients, deployed_consumers(shown.clients, bus_name(shown.stage)))


routes = [
    Route("/break", show),
    Route("/break/surroundings", surroundings),
    Route("/break/consumers", consumers),
    Route("/break/actions/{id}", run_action, methods=["POST"]),
    Route("/break/troubles/{id}/{mode}", switch_trouble, methods=["POST"]),
    Route("/break/consumers/{name}/{what}", switch, methods=["POST"]),
    Route("/break/repair", repair_all, methods=["POST"]),
]
