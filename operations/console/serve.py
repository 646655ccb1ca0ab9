"""Serves the console on 127.0.0.1, in a thread of its own."""

import os
import socket
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread

import uvicorn

from local import ports
from operations.console.app import console
from operations.console.deployment import Deployment
from operations.console.keys import Keys

PORT = 4600  # what is asked for: where it is taken, the next free one serves as well
SECONDS_TO_END = 5


@dataclass(frozen=True)
class Served:
    """A console that answers."""

    origin: str
    keys: Keys

    @property
    def address(self) -> str:
        """Where its owner opens it, as long as it runs."""
        return f"{self.origin}/?key={self.keys.printed}"

    def open(self) -> None:
        """Show it in the browser, if there is one."""
        with suppress(webbrowser.Error):
            webbrowser.open(f"{self.origin}/?key={self.keys.ticket()}")


@contextmanager
def serving(deployment: Deployment, preferred_port: int = PORT) -> Iterator[Served]:
    """Serve the console of a deployment; raises LocalFailed where no port is free."""
    with ports.reserve(preferred_port) as reserved:
        host = f"{ports.HOST}:{reserved.getsockname()[1]}"
        keys = Keys()
        app = console(deployment, host=host, keys=keys)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                ws="none",
                # A page that listens for events would otherwise be waited for.
                timeout_graceful_shutdown=1,
            )
        )
        thread = Thread(target=_run, args=(server, reserved), daemon=True, name="console")
        thread.start()
        try:
            yield Served(f"http://{host}", keys)
        finally:
            server.should_exit = True
            thread.join(SECONDS_TO_END)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    server.run(sockets=[listening])


def may_open_a_browser() -> bool:
    """Whether somebody sits in front of this terminal, and wants one."""
    if not sys.stdout.isatty() or os.environ.get("BROWSER") == "none":
        return False
    on_screen = sys.platform == "darwin" or os.name == "nt"
    return on_screen or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
