"""The page on which things are broken: what it does, shows and undoes, and where there is none."""

from typing import Any

import pytest

from patchbay.console.pages import break_things
from patchbay.console.playground import Placed, Provider
from patchbay.operations.clients import Clients
from patchbay.operations.health.health import Board
from patchbay.topology.consumers import Consumer
from tests.patchbay.console.conftest import Browser, Open
from tests.patchbay.operations.health.boards import NAMES, board

PART = {"HX-Request": "true"}


class Pretended:
    """Does nothing, and notes what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.so_far = Placed()
        self.provider_is: Provider = "well"
        self.mail = True

    def place_orders(self, count: int) -> None:
        self.told.append(f"place {count}")
        self.so_far = Placed(count, 3)

    def placed(self) -> Placed:
        return self.so_far

    def provider(self) -> Provider:
        return self.provider_is

    def have_provider(self, be: Provider) -> None:
        self.provider_is = be

    def mail_goes_out(self) -> bool:
        return self.mail

    def have_mail(self, *, go_out: bool) -> None:
        self.mail = go_out

    def put_malformed_event(self) -> None:
        self.told.append("malformed")


@pytest.fixture
def world() -> Pretended:
    return Pretended()


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What was last done to each consumer."""
    done: dict[str, str] = {}

    def noting(what: str) -> break_things.Switch:
        def switch(clients: Clients, stage: str, name: str) -> None:
            assert stage == "local"
            done[name] = what

        return switch

    def deployed(clients: Clients, bus: str) -> list[Consumer]:
        return [Consumer(name, "", "", "", None, ()) for name in NAMES]

    def broken(clients: Clients, consumers: Any) -> set[str]:
        return {name for name, what in done.items() if what == "break"}

    switches = {what: (noting(what), said) for what, (_, said) in break_things.SWITCHES.items()}
    monkeypatch.setattr(break_things, "SWITCHES", switches)
    for what in ("mend", "resume"):
        monkeypatch.setattr(break_things, what, noting(what))
    monkeypatch.setattr(break_things, "deployed_consumers", deployed)
    monkeypatch.setattr(break_things, "broken", broken)
    return done


def look() -> Board:
    return board(journal={"state": "paused", "waiting": 7})


@pytest.fixture
def browser(browse: Open, world: Pretended, switched: dict[str, str]) -> Browser:
    return browse(stage="local", look=look, playground=world)


def pressed(page: str) -> set[str]:
    """The ids of the buttons that are pressed in."""
    tags = [tag for tag in page.split("<button")[1:] if 'aria-pressed="true"' in tag]
    return {tag.partition('id="')[2].partition('"')[0] for tag in tags}


def test_it_is_there_on_the_local_stage_only(browse: Open) -> None:
    browser = browse(look=look)
    assert 'href="/break"' not in browser.get("/").text
    assert browser.get("/break").status_code == 404
    assert browser.change("/break/consumers/payments/break").status_code == 404


def test_orders_are_placed_and_it_says_how_far_they_are(browser: Browser, world: Pretended) -> None:
    page = browser.change("/break/orders", count="20").text
    assert world.told == ["place 20"]
    assert "3 of 20 placed." in page
    assert 'hx-get="/break/surroundings"' in page  # and asks again
    world.so_far = Placed(20, 20)
    page = browser.get("/break/surroundings", headers=PART).text
    assert "20 of 20 placed." in page
    assert 'hx-get="/break/surroundings"' not in page


def test_an_order_that_is_refused_is_told_as_text(browser: Browser, world: Pretended) -> None:
    world.so_far = Placed(20, 3, "The shop answered 500: <script>alert(1)</script>")
    page = browser.get("/break").text
    assert "The shop answered 500: &lt;script&gt;" in page
    assert 'hx-get="/break/surroundings"' not in page


@pytest.mark.parametrize("count", ["", "0", "-1", "501", "many", "²", "9" * 5000])
def test_a_number_of_orders_that_makes_no_sense_is_refused(
    browser: Browser, world: Pretended, count: str
) -> None:
    assert "From 1 to 500 orders" in browser.change("/break/orders", count=count).text
    assert world.told == []


@pytest.mark.parametrize("be", ["slow", "down", "declining", "well"])
def test_the_provider_does_as_it_is_told_and_the_page_shows_it(
    browser: Browser, world: Pretended, be: Provider
) -> None:
    page = browser.change(f"/break/provider/{be}").text
    assert world.provider_is == be
    assert pressed(page) == {f"provider-{be}", "mail-up"}


def test_the_mail_service_goes_down_and_comes_back(browser: Browser, world: Pretended) -> None:
    assert pressed(browser.change("/break/mail/down").text) == {"provider-well", "mail-down"}
    assert not world.mail
    assert pressed(browser.change("/break/mail/up").text) == {"provider-well", "mail-up"}
    assert world.mail


def test_a_malformed_event_goes_on_the_bus(browser: Browser, world: Pretended) -> None:
    assert "A malformed order is on the bus" in browser.change("/break/malformed").text
    assert world.told == ["malformed"]


def test_a_consumer_that_is_broken_can_be_mended_and_one_that_is_paused_go_on(
    browser: Browser, switched: dict[str, str]
) -> None:
    page = browser.change("/break/consumers/payments/break").text
    assert switched == {"payments": "break"}
    assert "payments has lost its rights" in page
    assert 'hx-post="/break/consumers/payments/mend"' in page
    assert 'hx-post="/break/consumers/payments/break"' not in page
    assert 'hx-post="/break/consumers/journal/resume"' in page
    assert 'hx-post="/break/consumers/notifications/pause"' in page


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/break/consumers/payments/explode", "A consumer can be told to break, mend"),
        ("/break/provider/odd", "The payment provider can be well, slow"),
    ],
)
def test_what_it_can_not_do_is_named(browser: Browser, path: str, said: str) -> None:
    assert said in browser.change(path).text


def test_everything_is_put_right_at_once(
    browser: Browser, world: Pretended, switched: dict[str, str]
) -> None:
    world.provider_is, world.mail = "down", False
    answer = browser.change("/break/nothing")
    assert answer.headers["HX-Refresh"] == "true"
    assert (world.provider_is, world.mail) == ("well", True)
    assert switched == dict.fromkeys(NAMES, "resume")


@pytest.mark.usefixtures("switched")
def test_without_the_shops_world_consumers_can_be_broken_all_the_same(browse: Open) -> None:
    browser = browse(stage="local", look=look)
    page = browser.get("/break").text
    assert "The one that `make local` opens" in page
    assert 'hx-post="/break/consumers/payments/break"' in page
    assert "Only the console that `make local` opens" in browser.change("/break/malformed").text


def test_nothing_is_broken_by_a_link(browser: Browser, world: Pretended) -> None:
    assert browser.get("/break/malformed").status_code == 405
    assert browser.post("/break/malformed").status_code == 403
    assert world.told == []
