"""The search for a Chromium for the tests.

python -m tests.patchbay.browser.finding     prints its path; exits with 1 where there is none
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import sync_playwright

VARIABLE = "PATCHBAY_BROWSER"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# On macOS, they are not on the PATH.
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
HOW_TO_GET_ONE = (
    "there is no Chromium here: install Debian's `chromium`, or run `.venv/bin/playwright install "
    f"chromium`, or name one in {VARIABLE}"
)


class BrowserNotThere(Exception):
    """The browser that the environment names does not exist."""


def find_browser(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the browser that the environment names, or the machine's, or Playwright's, or None.

    Raises BrowserNotThere where the environment names one that can't be run: the tests must not be
    skipped silently then.
    """
    if named := environ.get(VARIABLE):
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise BrowserNotThere(f"{VARIABLE} is {named!r}, which can't be run.")
        return Path(named)
    for command in COMMANDS:
        if found := shutil.which(command, path=environ.get("PATH")):
            return Path(found)
    return next(filter(Path.exists, map(Path, (*APPLICATIONS, *_playwrights_own()))), None)


def _playwrights_own() -> list[str]:
    with sync_playwright() as playwright:
        return [playwright.chromium.executable_path]


if __name__ == "__main__":
    found = find_browser()
    print(found or HOW_TO_GET_ONE, file=sys.stdout if found else sys.stderr)
    sys.exit(0 if found else 1)
