"""Error pages."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from patchbay.console import app
from patchbay.errors import UserError
from tests.patchbay.console.conftest import Browser, Open

HOSTILE = "<script>alert(1)</script>"
DENIED = ClientError(
    {"Error": {"Code": "AccessDenied", "Message": f"no sqs:ReceiveMessage {HOSTILE}"}},
    "ReceiveMessage",
)
GONE = EndpointConnectionError(endpoint_url="https://127.0.0.1:4566/")


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch, browse: Open) -> Browser:
    failures = {
        "/failed": UserError(f"There is no consumer {HOSTILE}."),
        "/denied": DENIED,
        "/gone": GONE,
        "/broken": ZeroDivisionError("a bug"),
    }

    def raising(failure: Exception) -> Callable[[Request], Response]:
        def fail(request: Request) -> Response:
            raise failure

        return fail

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    routes = [Route(path, raising(failure)) for path, failure in failures.items()]
    monkeypatch.setattr(app, "PAGES", [*routes, Route("/read", read, methods=["POST"])])
    return browse()


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/failed", 502, "There is no consumer &lt;script&gt;"),
        ("/denied", 502, "no sqs:ReceiveMessage &lt;script&gt;"),
        ("/gone", 502, "https://127.0.0.1:4566/ does not answer."),
        (
            "/broken",
            500,
            "The console has a bug (ZeroDivisionError). "
            "Its log, on the terminal, has the traceback.",
        ),
        ("/nothing", 404, "There is no such page."),
        ("/read", 405, "Method Not Allowed."),
    ],
)
def test_a_failure_is_shown_as_a_message_in_a_box_without_a_traceback(
    browser: Browser, path: str, status: int, message: str
) -> None:
    page = browser.get(path)
    assert page.status_code == status
    assert message in page.text
    assert 'role="alert"' in page.text
    assert "Traceback" not in page.text
    assert HOSTILE not in page.text
    assert page.headers["content-security-policy"]


def test_a_request_by_htmx_gets_the_box_alone_above_the_content_of_the_page(
    browser: Browser,
) -> None:
    part = browser.get("/failed", headers={"HX-Request": "true"})
    assert part.headers["HX-Retarget"] == "#notices"
    assert "<html" not in part.text
    assert "There is no consumer" in part.text


def test_a_request_that_is_too_large_is_refused(browser: Browser) -> None:
    assert browser.change("/read", text="x" * 1024).text == str(1024 + len("text="))
    refused = browser.change("/read", text="x" * (5 * 1024 * 1024))
    assert refused.status_code == 413
