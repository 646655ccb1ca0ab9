"""The guard of every page: who may ask, from where, and what a browser may do."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patchbay.console.keys import Keys, same

TOKEN = "X-Patchbay-Token"  # noqa: S105 - the header's name
READS = ("GET", "HEAD")
OPEN = "/static/"  # holds nothing of anyone's

HEADERS = {
    # Everything comes from here, and what an event holds can't run, load or send anything.
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
    """Lets through what comes from the console's own pages, in its owner's browser."""

    def __init__(
        self, app: ASGIApp, *, host: str, keys: Keys, refuse: Callable[[str], str] = str
    ) -> None:
        """Guard an app that is served at `host`, with its port; `refuse` renders a refusal."""
        self._app = app
        self._host = host
        self._origin = f"http://{host}"
        self._keys = keys
        self._refuse = refuse
        # A browser sends a host's cookies to all of its ports: each console has a name of its own.
        self.cookie = f"patchbay-{host.rpartition(':')[2]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # there are no web sockets here; a lifespan is the app's own
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
        """Return the answer to a request that is refused; None where a page may answer."""
        if request.headers.get("host") != self._host:
            # Another name that leads here, such as one that a hostile site has made up.
            return self._no(
                HTTPStatus.MISDIRECTED_REQUEST, f"The console is at {self._origin}, and only there."
            )
        if request.url.path.startswith(OPEN) and request.method in READS:
            return None
        if request.method in READS and (key := request.query_params.get("key")):
            return self._enter(key)
        if not same(request.cookies.get(self.cookie, ""), self._keys.session):
            return self._no(
                HTTPStatus.FORBIDDEN,
                "Open the console by the address that it has printed on its terminal.",
            )
        if request.method not in READS and (why := self._forged(request)):
            return self._no(HTTPStatus.FORBIDDEN, why)
        return None

    def _forged(self, request: Request) -> str | None:
        """Return why a request was not sent by the console's own pages; None if it was."""
        headers = request.headers
        if headers.get("origin") != self._origin:
            return "What changes anything must come from one of the console's own pages."
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "What changes anything must come from one of the console's own pages."
        if not same(headers.get(TOKEN, ""), self._keys.change):
            return "This page is of an earlier run of the console: reload it."
        return None

    def _enter(self, key: str) -> Response:
        if not self._keys.opens(key):
            return self._no(
                HTTPStatus.FORBIDDEN,
                "This address is of an earlier run of the console, or was used already: "
                "open the one that it has printed on its terminal.",
            )
        # By a page, not by a redirect: to a browser, that would still be whoever linked here, and
        # it would not send the cookie along.
        answer = HTMLResponse(
            '<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Patchbay</title>'
            '<link rel="icon" href="data:,">'
        )
        answer.set_cookie(self.cookie, self._keys.session, httponly=True, samesite="strict")
        return answer

    def _no(self, status: HTTPStatus, why: str) -> Response:
        return HTMLResponse(self._refuse(why), status)
