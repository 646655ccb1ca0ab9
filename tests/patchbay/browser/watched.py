"""Chromium, and pages in it on which nothing may go wrong unseen."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

Scheme = Literal["light", "dark"]
TIMEOUT = 15_000  # milliseconds that something on a page may take
# It asks nobody for anything, whatever a page tells it to load.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

_CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@contextmanager
def chromium(executable: Path) -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*ARGUMENTS, ONLY_HERE]
        )
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page of the console, opened by the address that it has printed."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: int = 1280,
        height: int = 900,
        scheme: Scheme = "light",
        scale: float = 1,
    ) -> None:
        self.origin = address.partition("/?")[0]
        self.mishaps: list[str] = []
        """Whatever ran, was refused or failed that should not have been there."""
        self._agrees_to: str | None = None
        self._context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            device_scale_factor=scale,
        )
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(TIMEOUT)
        self.page.on("dialog", self._answer)
        self.page.on("pageerror", lambda error: self._note(f"an error: {error}"))
        self.page.on("console", self._said)
        self.page.on("request", self._asked)
        self.page.goto(address)
        self.page.wait_for_url(f"{self.origin}/")

    def go(self, path: str) -> Page:
        """Open one of its pages."""
        self.page.goto(self.origin + path)
        return self.page

    def agree_to(self, question: str) -> None:
        """Say yes once, when the page asks that."""
        self._agrees_to = question

    def width_needed(self) -> int:
        """How wide the page is drawn, in pixels; where it is wider than the window, it scrolls."""
        needed: int = self.page.evaluate("document.scrollingElement.scrollWidth")
        return needed

    def too_faint(self) -> list[str]:
        """The texts whose contrast is less than WCAG's level AA asks for, and what theirs is."""
        found: list[str] = self.page.evaluate(_CONTRAST)
        return found

    def close(self) -> None:
        """Leave."""
        self._context.close()

    def _note(self, what: str) -> None:
        self.mishaps.append(what[:500])

    def _answer(self, dialog: Dialog) -> None:
        if dialog.type == "confirm" and self._agrees_to and self._agrees_to in dialog.message:
            self._agrees_to = None
            dialog.accept()
        else:
            self._note(f"a dialog: {dialog.message}")
            dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        # What it refuses by the Content-Security-Policy, it tells as an error as well.
        if message.type not in ("error", "warning"):
            return
        # That the page itself is one that says "there is no such …" is no mishap.
        if message.location["url"] != self.page.url or "Failed to load" not in message.text:
            self._note(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:")):
            self._note(f"a request to {json.dumps(request.url)}")
