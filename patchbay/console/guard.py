"""The guard of every page: it authenticates requests, and sets the security headers."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patchbay.console.keys import Keys, same

TOKEN = "X-Patchbay-Token"  # noqa: S105 - the header's name
READS = ("GET", "HEAD")
OPEN = "/static/"  # holds no data of the deployment

HEADERS = {
    # Everything is served from here. Content of an event can't run, load or send anything.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Refused = tuple[HTTPStatus, str]


class Guard:
    """ASGI middleware that lets only the owner's browser use the console."""

    def __init__(
        self, app: ASGIApp, *, host: str, keys: Keys, refuse: Callable[[str], str] = str
    ) -> None:
        """Guard an app that is served at `host`, with its port; `refuse` renders a refusal."""
        self._app = app
        self._host = host
        self._origin = f"http://{host}"
        self._keys = keys
        self._refuse = refuse
        # A browser sends a host's cookies to all its ports: each console has its own cookie name.
        self.cookie = f"patchbay-{host.rpartition(':')[2]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the app handles its lifespan; there are no web sockets
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        request = Request(scope)
        answer = self._answer(request)
        await (answer or self._app)(scope, receive, guarded)

    def _answer(self, request: Request) -> Response | None:
        """Return the response that refuses a request; None where a page may answer."""
        if request.headers.get("host") != self._host:
            # A DNS name of a hostile site may point to 127.0.0.1.
            return self._no(
                HTTPStatus.MISDIRECTED_REQUEST, f"The console answers at {self._origin} only."
            )
        if request.url.path.startswith(OPEN) and request.method in READS:
            return None
        if request.method in READS and (key := request.query_params.get("key")):
            return self._enter(key)
        if not same(request.cookies.get(self.cookie, ""), self._keys.session):
            return self._no(
                HTTPStatus.FORBIDDEN,
                "Open the console with the address that it printed on its terminal.",
            )
        if request.method not in READS and (why := self._forged(request)):
            return self._no(HTTPStatus.FORBIDDEN, why)
        return None

    def _forged(self, request: Request) -> str | None:
        """Return the reason why a request is not from the console's own pages; None if it is."""
        headers = request.headers
        if headers.get("origin") != self._origin:
            return "A change must be requested by one of the console's own pages."
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "A change must be requested by one of the console's own pages."
        if not same(headers.get(TOKEN, ""), self._keys.change):
            return "This page is from an earlier run of the console: reload it."
        return None

    def _enter(self, key: str) -> Response:
        if not self._keys.opens(key):
            return self._no(
                HTTPStatus.FORBIDDEN,
                "This address is from an earlier run of the console, or was used already: "
                "open the one that it printed on its terminal.",
            )
        # A page that navigates on, not a redirect: after a redirect, the browser would still treat
        # the page that linked here as the origin, and not send a SameSite=Strict cookie.
        answer = HTMLResponse(
            '<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Patchbay</title>'
            '<link rel="icon" href="data:,">'
        )
        answer.set_cookie(self.cookie, self._keys.session, httponly=True, samesite="strict")
        return answer

    def _no(self, status: HTTPStatus, why: str) -> Response:
        return HTMLResponse(self._refuse(why), status)
