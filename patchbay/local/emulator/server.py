"""Serves the embedded cloud on the socket whose file descriptor is its argument.

It runs in the cloud's own environment, and listens on that socket only: MiniStack's own command
takes port 443 as well if it can, and keeps files outside our folder.
"""

import resource
import socket
import sys

from ministack.app import app
from ministack.core.tls import resolve_tls_material
from uvicorn import Config, Server

from patchbay.local.emulator.batches import limit_batches
from patchbay.local.emulator.cold_starts import one_at_a_time
from patchbay.local.emulator.error_types import tell_error_types
from patchbay.local.emulator.shared_layers import share_layers
from patchbay.processes.exit_with_parent import end_with_parent


def main(descriptor: int) -> None:
    """Serve until the parent is gone."""
    end_with_parent()
    share_layers()
    tell_error_types()
    one_at_a_time()
    limit_batches()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    certificate, key = resolve_tls_material()
    config = Config(
        app,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_keep_alive=75,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        # The cloud has its own.
        date_header=False,
        server_header=False,
    )
    # Of a descriptor's number, uvicorn would make a socket of another family, for whose connections
    # nobody turns Nagle's algorithm off: each answer would wait 40 ms for the client.
    Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
