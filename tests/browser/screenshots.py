"""`make screenshots`: pictures of the console for the docs, taken from the local cloud.

They show real purchases, and a payment provider that is really down.
"""

import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from playwright.sync_api import Page

from demo.purchases import first_purchases
from demo.settings import STAGE
from demo.surroundings import LocalShop, Surroundings
from demo.troubles import Orders, actions, troubles
from patchbay.console.additions import Additions
from patchbay.console.deployment import Deployment
from patchbay.console.serve import serving
from patchbay.errors import UserError
from patchbay.local.deployment import deploy_locally
from patchbay.operations.clients import CachedClients
from patchbay.operations.health.health import SystemHealth
from patchbay.operations.health.monitor import Monitor
from patchbay.processes.waiting import wait_until
from patchbay.project.root import ROOT
from tests.patchbay.browser.finding import HOW_TO_GET_ONE, find_browser
from tests.patchbay.browser.watched import Watched, chromium

IMAGES = ROOT / "docs" / "images"
WIDTH = 1280
SCALE = 1.5
MARGIN = 24  # pixels below the last element
SECONDS = 300
WARM = 5  # orders, after which no function starts cold
BUSY = 1.0  # orders a second that are handled, at least
LONG = 60  # orders in the queue of payments, at least
ORDERS = 300
ENOUGH = 250  # of them, so that the cold starts are at most 5 in 100


def main() -> int:
    executable = find_browser()
    if executable is None:
        print(f"No pictures were taken: {HOW_TO_GET_ONE}.", file=sys.stderr)
        return 1
    try:
        with deploy_locally(Surroundings) as running:
            _take_all(running, executable)
    except UserError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _take_all(running: LocalShop, executable: Path) -> None:
    shop = running.surroundings.shop
    purchases = iter(first_purchases(WARM + 2 * ORDERS))
    for purchase in islice(purchases, WARM):
        shop.place(purchase)
    orders = Orders(shop, purchases)
    additions = Additions(troubles=troubles(shop), actions=actions(shop, orders))
    clients = CachedClients(running.cloud)
    monitor = Monitor(clients, STAGE)

    def wait_for(what: str, condition: Callable[[SystemHealth], bool]) -> None:
        wait_until(lambda: condition(monitor.check()), what, SECONDS)

    with (
        serving(Deployment(clients, STAGE, additions), check=monitor.check) as served,
        chromium(executable) as browser,
    ):
        window = Watched(browser, served.address, width=WIDTH, scale=SCALE)
        wait_for("the first orders to be handled", lambda health: not _queued(health))
        orders.place(ORDERS)
        wait_for(
            "most orders to be placed, with all consumers busy",
            lambda health: orders.placed().accepted >= ENOUGH and _is_busy(health),
        )
        _take(window.page, "map-all-well", ".map")
        # With no paid order on its way, only payments needs the provider.
        wait_for(
            "all of them to be handled",
            lambda health: orders.placed().accepted == ORDERS and not _queued(health),
        )
        shop.take_payments_down()
        orders.place(ORDERS)
        wait_for("payments to fail with a long queue, and all others to be well", _is_down)
        _take(window.page, "map-one-down", ".map")
        _take(window.go("/break"), "break-things", "#switches")
        shop.publish_malformed_event()
        wait_for("a malformed event to be a dead letter", _has_died)
        _take(window.go("/dead-letters"), "dead-letters", "#queues")
        window.close()


def _queued(health: SystemHealth) -> int:
    return sum(each.queued for each in health.consumers)


def _is_busy(health: SystemHealth) -> bool:
    handled = {each.name: each.per_second or 0 for each in health.consumers}
    states = {each.state for each in health.consumers}
    return states == {"well"} and handled["payments"] > BUSY and handled["orders-status"] > BUSY


def _is_down(health: SystemHealth) -> bool:
    (payments,) = (each for each in health.consumers if each.name == "payments")
    others = {each.state for each in health.consumers if each.name != "payments"}
    return payments.state == "failing" and payments.queued > LONG and others == {"well"}


def _has_died(health: SystemHealth) -> bool:
    return sum(bool(each.dead) for each in health.consumers) > 1


def _take(page: Page, name: str, last: str) -> None:
    """Take a picture of a page, from its top to the element `last`."""
    page.wait_for_timeout(1500)  # until the page shows the last check
    box = page.locator(last).bounding_box()
    assert box
    path = IMAGES / f"{name}.png"
    page.screenshot(
        path=path,
        clip={"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"] + MARGIN},
        full_page=True,
        animations="disabled",  # ends transitions: a queue is as full as its number says
    )
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
