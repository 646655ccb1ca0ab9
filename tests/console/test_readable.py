"""The contrast and the width of each page: in light and dark, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from patchbay.console.deployment import Deployment
from patchbay.console.serve import Served, serving
from patchbay.operations.health.health import SystemHealth
from patchbay.testkit.templates import Templates
from tests.patchbay.browser.watched import Scheme, Watched
from tests.patchbay.operations.health.sample_health import failure, health
from tests.shop import Shop

PORT = 4695
PAGES = [
    "/", "/consumers/alerts", "/consumers/journal", "/events", "/dead-letters", "/nothing",
]  # fmt: skip
LONG = "ProviderUnavailable: " + "it-answered-503-" * 40


def every_state() -> SystemHealth:
    failed = (failure(LONG),)
    return health(
        alerts={"state": "failing", "waiting": 123_456, "in_flight": 10, "failures": failed},
        notifications={"state": "dead", "dead": 100_000},
        journal={"state": "paused", "waiting": 7},
        fulfilment={"state": "behind", "waiting": 40},
    )


@pytest.fixture(scope="module")
def served(templates: Templates) -> Iterator[Served]:
    with Shop(templates) as cloud:
        cloud.break_("notifications", with_=ConnectionError(LONG))
        cloud.place_order()
        cloud.send("payments", "nonsense")
        cloud.settle()
        with serving(Deployment(cloud, "dev"), PORT, every_state) as console:
            yield console


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_text_has_enough_contrast(
    browser: Browser, served: Served, path: str, scheme: Scheme
) -> None:
    window = Watched(browser, served.address, scheme=scheme)
    page = window.go(path)
    for details in page.locator("details").all():
        details.evaluate("it => it.open = true")
    faint = window.too_faint()
    window.close()
    assert faint == []


@pytest.mark.parametrize("width", [400, 800, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_its_window(
    browser: Browser, served: Served, path: str, width: int
) -> None:
    window = Watched(browser, served.address, width=width)
    window.go(path)
    needed = window.width_needed()
    window.close()
    assert needed <= width


def test_a_text_with_too_little_contrast_is_found(browser: Browser, served: Served) -> None:
    window = Watched(browser, served.address)
    window.page.evaluate("document.querySelector('h1').style.color = '#b0b0b0'")
    faint = window.too_faint()
    window.close()
    assert [line for line in faint if "The patch bay" in line]
