"""Break things: what is around the shop, and its consumers, broken and mended on purpose."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patchbay.console import board_view
from patchbay.console.breakage import break_, broken, mend
from patchbay.console.deployment import Deployment, deployment
from patchbay.console.pages.patch_bay import feed
from patchbay.console.playground import PROVIDERS, Playground
from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.pause import pause, resume
from patchbay.project.naming import bus_name

MOST = 500  # orders at a time
CONSUMERS = "_break_consumers.html"
SURROUNDINGS = "_break_surroundings.html"

Switch = Callable[[Any, str, str], object]
SWITCHES: dict[str, tuple[Switch, str]] = {
    "break": (break_, "{} has lost its rights to its tables: each of its attempts fails."),
    "mend": (mend, "{} has its rights again."),
    "pause": (pause, "{} is paused: its events wait."),
    "resume": (resume, "{} is given its events again."),
}


async def show(request: Request) -> Response:
    """The page."""
    surroundings, consumers = await _surroundings(request), await _consumers(request)
    return page(request, "break_things.html", **surroundings, **consumers)


async def surroundings(request: Request) -> Response:
    """The part with what is around the shop."""
    return page(request, SURROUNDINGS, **await _surroundings(request))


async def consumers(request: Request) -> Response:
    """The part with its consumers."""
    return page(request, CONSUMERS, **await _consumers(request))


async def place_orders(request: Request) -> Response:
    """Have the shop's customers order."""
    async with request.form() as form:
        asked = str(form.get("count", ""))
    count = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
    if not 1 <= count <= MOST:
        raise UserError(f"From 1 to {MOST} orders can be placed at a time.")
    await run_in_threadpool(_playground(request).place_orders, count)
    return await surroundings(request)


async def have_provider(request: Request) -> Response:
    """Tell the payment provider how to behave."""
    known = [each for each in PROVIDERS if each == request.path_params["be"]]
    if not known:
        raise UserError(f"The payment provider can be {', '.join(PROVIDERS)}.")
    await run_in_threadpool(_playground(request).have_provider, known[0])
    return await surroundings(request)


async def hold_mail(request: Request) -> Response:
    """Take the mail service down."""
    await run_in_threadpool(lambda: _playground(request).have_mail(go_out=False))
    return await surroundings(request)


async def let_mail_out(request: Request) -> Response:
    """Have it back."""
    await run_in_threadpool(lambda: _playground(request).have_mail(go_out=True))
    return await surroundings(request)


async def put_malformed_event(request: Request) -> Response:
    """Put an event on the bus that nobody can handle."""
    await run_in_threadpool(_playground(request).put_malformed_event)
    said = "A malformed order is on the bus: whoever is given orders has a dead letter more."
    return page(request, SURROUNDINGS, **await _surroundings(request, said))


async def switch(request: Request) -> Response:
    """Break, mend, pause or resume a consumer."""
    shown, name = deployment(request), request.path_params["name"]
    known = SWITCHES.get(request.path_params["what"])
    if known is None:
        raise UserError(f"A consumer can be told to {', '.join(SWITCHES)}.")
    change, said = known
    await run_in_threadpool(change, shown.clients, shown.stage, name)
    await feed(request).look_again()
    return page(request, CONSUMERS, **await _consumers(request, said.format(name)))


async def put_right(request: Request) -> Response:
    """Undo all that was done here; what became a dead letter meanwhile stays one."""
    await run_in_threadpool(_put_right, deployment(request))
    await feed(request).look_again()
    return Response(headers={"HX-Refresh": "true"})


def _put_right(shown: Deployment) -> None:
    if shown.playground:
        shown.playground.have_provider("well")
        shown.playground.have_mail(go_out=True)
    for consumer in deployed_consumers(shown.clients, bus_name(shown.stage)):
        mend(shown.clients, shown.stage, consumer.name)
        resume(shown.clients, shown.stage, consumer.name)


def _playground(request: Request) -> Playground:
    playground = deployment(request).playground
    if playground is None:
        raise UserError("Only the console that `make local` opens knows the shop's world.")
    return playground


async def _surroundings(request: Request, done: str = "") -> dict[str, Any]:
    playground = deployment(request).playground
    if playground is None:
        return {"around": None, "done": done}
    return await run_in_threadpool(_around, playground, done)


def _around(playground: Playground, done: str) -> dict[str, Any]:
    return {
        "around": {
            "placed": playground.placed(),
            "provider": playground.provider(),
            "mail_goes_out": playground.mail_goes_out(),
        },
        "providers": PROVIDERS,
        "most": MOST,
        "done": done,
    }


async def _consumers(request: Request, done: str = "") -> dict[str, Any]:
    shown = deployment(request)
    sight = await feed(request).now()
    if sight.board is None:
        raise UserError(sight.why or "There is no answer.")
    are_broken = await run_in_threadpool(_broken, shown)
    return {
        "consumers": [
            {
                "name": each.name,
                "is_broken": each.name in are_broken,
                "is_paused": each.state == "paused",
                **board_view.changes_of(each),
            }
            for each in sight.board.consumers
        ],
        "switched": done,
    }


def _broken(shown: Deployment) -> set[str]:
    return broken(shown.clients, deployed_consumers(shown.clients, bus_name(shown.stage)))


routes = [
    Route("/break", show),
    Route("/break/surroundings", surroundings),
    Route("/break/consumers", consumers),
    Route("/break/orders", place_orders, methods=["POST"]),
    Route("/break/provider/{be}", have_provider, methods=["POST"]),
    Route("/break/mail/down", hold_mail, methods=["POST"]),
    Route("/break/mail/up", let_mail_out, methods=["POST"]),
    Route("/break/malformed", put_malformed_event, methods=["POST"]),
    Route("/break/consumers/{name}/{what}", switch, methods=["POST"]),
    Route("/break/nothing", put_right, methods=["POST"]),
]
