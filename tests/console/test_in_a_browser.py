"""The console in Chromium, on the embedded cloud."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from demo.purchases import Purchase
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop
from demo.troubles import Orders, actions, troubles
from patchbay.console.additions import Additions
from patchbay.console.deployment import Deployment
from patchbay.console.serve import Served, serving
from patchbay.console.views import NAVIGATION
from patchbay.operations.clients import CachedClients
from patchbay.operations.consumers import deployed_consumers
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import bus_name
from patchbay.topology.consumers import Consumer
from tests.operations.test_deployed import giving_up_at_once
from tests.patchbay.browser.watched import Watched

pytestmark = pytest.mark.embedded

PORT = 4690
SECONDS = 90  # for cold starts, retries and a slow machine
SOON = SECONDS * 1000  # the same, for Playwright
PAGES = [link.path for link in NAVIGATION] + ["/consumers/payments"]
NARROW = 400  # pixels

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
CODES = "\x1b]0;owned\x07\x1b[31mred\x1b[2J"


def deep(levels: int) -> Any:
    """Return a list that is nested so deeply."""
    nested: Any = SCRIPT
    for _ in range(levels):
        nested = [nested]
    return nested


# Events by which an attacker might harm the owner of the console.
HOSTILE: dict[str, dict[str, Any]] = {
    "scripts": {"metadata": {"id": SCRIPT, "correlation_id": IMAGE}, "data": {"order_id": SCRIPT}},
    "terminal codes": {"metadata": {"correlation_id": CODES}, "data": {"order_id": CODES}},
    "wrong types": {"metadata": [SCRIPT], "data": {"order_id": {SCRIPT: IMAGE}, "amount": SCRIPT}},
    "nothing": {"metadata": None, "data": None},
    "deep": {"metadata": {"id": IMAGE}, "data": {"order_id": deep(200)}},
    "large": {"metadata": {"id": IMAGE}, "data": {"order_id": IMAGE + "x" * 900_000}},
}


@pytest.fixture(scope="module")
def served(running: LocalShop, shop: Shop, purchases: Iterator[Purchase]) -> Iterator[Served]:
    """Serve the console as `make local` does."""
    own = Additions(troubles=troubles(shop), actions=actions(shop, Orders(shop, purchases)))
    with serving(Deployment(CachedClients(running.cloud), STAGE, own), PORT) as console:
        yield console


@pytest.fixture(scope="module")
def consumers(running: LocalShop) -> dict[str, Consumer]:
    return {each.name: each for each in deployed_consumers(running.cloud, bus_name(STAGE))}


Visit = Callable[..., Watched]


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Visit]:
    """Return a function that opens the console; an error on a page fails the test in the end."""
    visits: list[Watched] = []

    def open_(width: int = 1280) -> Watched:
        visits.append(Watched(browser, served.address, width=width))
        return visits[-1]

    yield open_
    for each in visits:
        each.close()
    assert list(chain.from_iterable(each.mishaps for each in visits)) == []


def card(page: Page, consumer: str) -> Locator:
    """Return a consumer's card on the map."""
    return page.locator(f'.consumer[data-consumer="{consumer}"]')


def place_orders(page: Page, count: int) -> None:
    page.get_by_label("How many").fill(str(count))
    page.get_by_role("button", name="Place orders", exact=True).click()
    expect(page.get_by_text(f"{count} of {count} placed.")).to_be_visible(timeout=SOON)


def test_a_broken_consumer_is_shown_failing_alone_and_works_again_when_it_is_mended(
    visit: Visit, shop: Shop
) -> None:
    before = set(shop.statuses())
    desk, wall = visit(), visit()
    failing = wall.page.locator(".consumer.is-failing")
    expect(card(wall.page, "payments")).to_be_visible(timeout=SOON)
    expect(failing).to_have_count(0)

    page = desk.go("/break")
    page.get_by_role("button", name="Break payments", exact=True).click()
    expect(page.get_by_text("payments is broken")).to_be_visible(timeout=SOON)
    place_orders(page, 5)

    expect(failing).to_have_count(1, timeout=SOON)
    expect(card(wall.page, "payments").locator(".badge")).to_have_text("Failing")
    expect(card(wall.page, "payments").locator(".last-error")).to_contain_text("AccessDenied")
    assert float(card(wall.page, "payments").evaluate("it => it.style.getPropertyValue('--fill')"))
    ordered = set(shop.statuses()) - before
    assert {shop.statuses()[order] for order in ordered} == {"placed"}
    wait_until(lambda: mailed(shop, "Order placed") >= ordered, "the mails to be sent", SECONDS)

    page.get_by_role("button", name="Mend payments", exact=True).click()
    expect(page.get_by_text("payments is mended")).to_be_visible(timeout=SOON)
    expect(failing).to_have_count(0, timeout=SOON)
    wait_until(lambda: all_are_finished(shop, ordered), "the orders to finish", SECONDS)


def test_dead_letters_are_shown_and_redriven_and_the_orders_finish(
    visit: Visit, running: LocalShop, shop: Shop, consumers: dict[str, Consumer]
) -> None:
    before = set(shop.statuses())
    desk, wall = visit(), visit()
    page, tray = desk.go("/break"), card(wall.page, "payments").locator(".tray")
    expect(tray).to_be_hidden(timeout=SOON)

    page.get_by_role("button", name="Break payments", exact=True).click()
    expect(page.get_by_text("payments is broken")).to_be_visible(timeout=SOON)
    with giving_up_at_once(running, consumers["payments"]):
        place_orders(page, 3)
        expect(tray).to_have_text(re.compile(r"^\s*3 dead letters\s*$"), timeout=SOON)
    page.get_by_role("button", name="Mend payments", exact=True).click()
    expect(page.get_by_text("payments is mended")).to_be_visible(timeout=SOON)
    ordered = set(shop.statuses()) - before
    assert {shop.statuses()[order] for order in ordered} == {"placed"}

    desk.go("/dead-letters?consumer=payments")
    expect(page.get_by_role("row", name="OrderPlaced")).to_have_count(3)
    desk.agree_to("Redrive all 3 dead letters of payments")
    page.get_by_role("button", name="Redrive all", exact=True).click()
    expect(page.locator("#work")).to_contain_text("3", timeout=SOON)
    expect(tray).to_be_hidden(timeout=SOON)
    wait_until(lambda: all_are_finished(shop, ordered), "the orders to finish", SECONDS)


def mailed(shop: Shop, subject: str) -> set[str]:
    """Return the orders that a mail with this subject is about."""
    return {order for sent, order in shop.mails() if sent == subject}


def all_are_finished(shop: Shop, orders: set[str]) -> bool:
    statuses = shop.statuses()
    return {statuses[order] for order in orders} <= {"shipped", "refunded", "unfulfillable"}


def test_the_shops_troubles_are_switched_and_everything_is_repaired_at_once(
    visit: Visit, shop: Shop
) -> None:
    page = visit().go("/break")
    for name in ("Slow", "Declining", "Down"):
        page.get_by_role("group", name="Payment provider").get_by_role(
            "button", name=name, exact=True
        ).click()
        pressed = page.locator(f"#provider-{name.lower()}[aria-pressed=true]")
        expect(pressed).to_be_visible()
    page.get_by_role("group", name="Mail").get_by_role("button", name="Down", exact=True).click()
    expect(page.locator("#mail-down")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Pause those to journal", exact=True).click()
    expect(page.get_by_role("button", name="Resume those to journal", exact=True)).to_be_visible()
    assert shop.provider_behaviour()["mode"] == "down"
    assert not shop.can_send_mail()

    page.get_by_role("button", name="Repair everything", exact=True).click()
    expect(page.locator("#mail-well")).to_have_attribute("aria-pressed", "true", timeout=SOON)
    expect(page.get_by_role("button", name="Pause those to journal", exact=True)).to_be_visible(
        timeout=SOON
    )
    assert shop.provider_behaviour() == {"mode": "ok", "decline_above": None}
    assert shop.can_send_mail()


def test_hostile_events_are_shown_as_text_on_every_page(visit: Visit, running: LocalShop) -> None:
    map_ = visit()
    expect(map_.page.locator("#live")).to_contain_text("live", timeout=SOON)
    put_hostile_events(running)
    # The journal receives every event, whatever its type.
    expect(map_.page.get_by_text(f"Odd{SCRIPT}").first).to_be_visible(timeout=SOON)
    expect(card(map_.page, "payments").locator(".tray")).to_be_visible(timeout=SOON)

    reader = visit()
    reader.go("/dead-letters?consumer=payments")
    links = reader.page.locator("a[hx-get^='/dead-letters/']")
    expect(links.first).to_be_visible(timeout=SOON)
    dead_letters = [str(link.get_attribute("href")) for link in links.all()]
    assert len(dead_letters) >= len(HOSTILE)
    for path in [*PAGES, "/journeys?id=%3Cscript%3Ealert(1)%3C/script%3E", *dead_letters]:
        for width in (1280, NARROW):
            reader.page.set_viewport_size({"width": width, "height": 900})
            reader.go(path)
            expect(reader.page.locator("h1, h2").first).to_be_visible()
            assert reader.page.locator("main script, main img, [onerror]").count() == 0, path
            assert reader.width_needed() <= width, path


def put_hostile_events(running: LocalShop) -> None:
    types = ["OrderPlaced"] * len(HOSTILE) + [f"Odd{SCRIPT}"]
    details = [*HOSTILE.values(), good_metadata()]
    for type_, detail in zip(types, details, strict=True):
        answer = running.cloud.client("events").put_events(
            Entries=[
                {
                    "EventBusName": bus_name(STAGE),
                    "Source": "shop.orders",
                    "DetailType": type_,
                    "Detail": json.dumps(detail),
                }
            ]
        )
        assert answer["FailedEntryCount"] == 0


def good_metadata() -> dict[str, Any]:
    """Return a hostile event that is valid, so that it is handled."""
    return {
        "metadata": {
            "id": "7f0c8d5e-8f9f-4bd2-9d3b-2d7f9a1f6a11",
            "version": 1,
            "correlation_id": f"order{IMAGE}",
            "causation_id": None,
            "published_at": "2026-01-31T12:00:00Z",
        },
        "data": {"order_id": SCRIPT, "note": CODES},
    }


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(visit: Visit, path: str) -> None:
    phone = visit(width=NARROW)
    phone.go(path)
    assert phone.width_needed() <= NARROW


def test_the_map_can_be_used_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit().page
    expect(card(page, "payments")).to_be_visible(timeout=SOON)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    publishers = page.locator(".publisher")
    expect(publishers.first).to_be_focused()
    for _ in range(publishers.count()):
        page.keyboard.press("ArrowDown")
    first = page.locator(".consumer .unit a").first
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible(timeout=SOON)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(first).to_be_focused()


def test_things_can_be_broken_and_mended_with_the_keyboard_alone(visit: Visit, shop: Shop) -> None:
    page = visit().go("/break")
    reach(page, "#mail-down")
    page.keyboard.press("Space")
    expect(page.locator("#mail-down")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#mail-down")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("#mail-well")).to_have_attribute("aria-pressed", "true")
    assert shop.can_send_mail()


def reach(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(selector).evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"{selector} can't be reached by Tab.")
