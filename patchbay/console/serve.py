"""The console's server: on 127.0.0.1, in its own thread."""

import os
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread

import uvicorn

from patchbay.console.app import console
from patchbay.console.deployment import Deployment
from patchbay.console.feed import Feed
from patchbay.console.keys import Keys
from patchbay.operations.failures import EXPECTED
from patchbay.operations.health.health import SystemHealth
from patchbay.operations.health.monitor import Monitor
from patchbay.processes import ports

PORT = 4600  # preferred: where it is taken, the next free one
SECONDS_TO_END = 5

# Between two checks of the health.
SECONDS_LOCALLY = 1.0
SECONDS_ON_AWS = 10.0  # where each check costs money


@dataclass(frozen=True)
class Served:
    """A running console."""

    origin: str
    keys: Keys

    @property
    def address(self) -> str:
        """Return the address that opens it."""
        return f"{self.origin}/?key={self.keys.printed}"

    def open(self) -> None:
        """Open it in the browser, if there is one."""
        with suppress(webbrowser.Error):
            webbrowser.open(f"{self.origin}/?key={self.keys.ticket()}")


@contextmanager
def serving(
    deployment: Deployment,
    preferred_port: int = PORT,
    check: Callable[[], SystemHealth] | None = None,
) -> Iterator[Served]:
    """Serve the console of a deployment; raises UserError where no port is free.

    `check` reads the health, instead of a Monitor of that deployment.
    """
    every = SECONDS_LOCALLY if deployment.is_local else SECONDS_ON_AWS
    check = check or Monitor(deployment.clients, deployment.stage).check
    # The first check takes longest: it begins before the page is opened.
    Thread(target=_check_once, args=(check,), daemon=True, name="first check").start()
    feed = Feed(check, every=every)
    with ports.reserve(preferred_port) as reserved:
        host = f"{ports.HOST}:{reserved.getsockname()[1]}"
        keys = Keys()
        app = console(deployment, host=host, keys=keys, feed=feed)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                ws="none",
                # For a page that is still being rendered.
                timeout_graceful_shutdown=1,
            )
        )
        thread = Thread(target=_run, args=(server, reserved), daemon=True, name="console")
        thread.start()
        try:
            yield Served(f"http://{host}", keys)
        finally:
            feed.close()
            server.should_exit = True
            thread.join(SECONDS_TO_END)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    server.run(sockets=[listening])


def _check_once(check: Callable[[], SystemHealth]) -> None:
    with suppress(*EXPECTED):  # the page shows the failure
        check()


def may_open_a_browser() -> bool:
    """Return whether a person uses this terminal and has not switched the browser off."""
    if not sys.stdout.isatty() or os.environ.get("BROWSER") == "none":
        return False
    on_screen = sys.platform == "darwin" or os.name == "nt"
    return on_screen or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
