"""Pages in Chromium that record errors, dialogs and requests to other hosts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

Scheme = Literal["light", "dark"]
TIMEOUT = 15_000  # milliseconds for one action on a page
# Chromium connects to no other host, whatever a page loads.
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
    """Run a headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*ARGUMENTS, ONLY_HERE]
        )
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page of the console, opened with the printed address."""

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
        """Errors, dialogs and requests that should not have occurred."""
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
        self.page.on("console", self._logged)
        self.page.on("request", self._requested)
        self.page.goto(address)
        self.page.wait_for_url(f"{self.origin}/")

    def go(self, path: str) -> Page:
        """Open a page of the console."""
        self.page.goto(self.origin + path)
        return self.page

    def agree_to(self, question: str) -> None:
        """Accept the next dialog if it contains this question."""
        self._agrees_to = question

    def width_needed(self) -> int:
        """Return the width of the page's content, in pixels."""
        needed: int = self.page.evaluate("document.scrollingElement.scrollWidth")
        return needed

    def too_faint(self) -> list[str]:
        """Return the texts with a contrast below WCAG's level AA, each with its contrast."""
        found: list[str] = self.page.evaluate(_CONTRAST)
        return found

    def close(self) -> None:
        """Close the page."""
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

    def _logged(self, message: ConsoleMessage) -> None:
        # Chromium logs a violation of the Content-Security-Policy as an error too.
        if message.type not in ("error", "warning"):
            return
        # Chromium also logs that the page itself answered with 404: that is expected.
        if message.location["url"] != self.page.url or "Failed to load" not in message.text:
            self._note(f"{message.type}: {message.text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:")):
            self._note(f"a request to {json.dumps(request.url)}")
