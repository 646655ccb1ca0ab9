"""The guard: which requests it lets through, and which headers it sets."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from patchbay.console.guard import HEADERS, TOKEN, Guard
from patchbay.console.keys import Keys
from tests.patchbay.console.conftest import HOST, ORIGIN, Open

FOREIGN = "http://evil.example"


def answer(request: Request) -> Response:
    return PlainTextResponse("secret")


def fail(request: Request) -> Response:
    raise RuntimeError("a bug")


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def guarded(keys: Keys) -> TestClient:
    routes = [Route("/", answer, methods=["GET", "POST"]), Route("/broken", fail)]
    app = Guard(Starlette(routes=routes), host=HOST, keys=keys)
    return TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)


@pytest.fixture
def inside(guarded: TestClient, keys: Keys) -> TestClient:
    guarded.get(f"/?key={keys.printed}")
    return guarded


def test_the_printed_address_opens_the_console(inside: TestClient) -> None:
    assert inside.get("/").text == "secret"


def test_a_request_without_the_key_is_refused_with_where_to_find_the_address(
    guarded: TestClient,
) -> None:
    for path in ("/", "/?key=", "/?key=wrong", "/?key=%C3%A9", "/broken", "/nothing"):
        refused = guarded.get(path)
        assert refused.status_code == 403
        assert "terminal" in refused.text


def test_a_cookie_of_another_run_is_refused(guarded: TestClient) -> None:
    guarded.cookies.set("patchbay-4600", Keys().session)
    assert guarded.get("/").status_code == 403


def test_a_ticket_opens_the_console_once(guarded: TestClient, keys: Keys) -> None:
    ticket = keys.ticket()
    assert guarded.get(f"/?key={ticket}").status_code == 200
    guarded.cookies.clear()
    assert guarded.get(f"/?key={ticket}").status_code == 403


def test_the_cookie_is_out_of_scripts_reach_and_stays_on_this_site(
    guarded: TestClient, keys: Keys
) -> None:
    set_cookie = guarded.get(f"/?key={keys.printed}").headers["set-cookie"].lower()
    assert "httponly" in set_cookie
    assert "samesite=strict" in set_cookie
    assert keys.printed.lower() not in set_cookie


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4600", "127.0.0.1", "127.0.0.1:80", "localhost:4600", ""]
)
def test_a_request_to_another_host_name_is_refused(
    inside: TestClient, keys: Keys, host: str
) -> None:
    for path in ("/", f"/?key={keys.printed}", "/static/console.css"):
        refused = inside.get(path, headers={"Host": host})
        assert refused.status_code == 421
        assert "secret" not in refused.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:4601"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_change_that_another_page_requests_is_refused(
    inside: TestClient, keys: Keys, headers: dict[str, str]
) -> None:
    refused = inside.post("/", headers={**headers, TOKEN: keys.change})
    assert refused.status_code == 403
    assert "one of the console's own pages" in refused.text


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_a_change_without_the_token_of_this_run_is_refused(
    inside: TestClient, token: str | None
) -> None:
    headers = [(b"Origin", ORIGIN.encode())]
    if token is not None:
        headers.append((TOKEN.encode(), token.encode()))
    refused = inside.post("/", headers=headers)
    assert refused.status_code == 403
    assert "reload it" in refused.text


def test_a_change_with_the_token_but_without_the_cookie_is_refused(
    guarded: TestClient, keys: Keys
) -> None:
    assert guarded.post("/", headers={"Origin": ORIGIN, TOKEN: keys.change}).status_code == 403


def test_a_change_that_one_of_the_consoles_own_pages_requests_is_made(
    inside: TestClient, keys: Keys
) -> None:
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", TOKEN: keys.change}
    assert inside.post("/", headers=headers).text == "secret"


@pytest.mark.parametrize("path", ["/", "/?key=wrong", "/nothing", "/broken"])
def test_every_response_has_the_security_headers(inside: TestClient, path: str) -> None:
    headers = inside.get(path).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "server" not in headers


def test_a_refusal_has_a_content_security_policy_too(guarded: TestClient) -> None:
    assert guarded.get("/").headers["content-security-policy"]
    assert guarded.get("/", headers={"Host": "evil.example"}).headers["content-security-policy"]


def test_the_page_break_things_exists_on_the_local_stage_only(browse: Open) -> None:
    local, dev = browse(stage="local"), browse(stage="dev")
    assert local.get("/break").status_code != 404
    assert dev.get("/break").status_code == 404
    assert "/break" not in dev.get("/journeys").text
