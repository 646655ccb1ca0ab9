"""The server of the embedded cloud, on the socket whose file descriptor is its argument.

It runs in the cloud's own environment, and only listens on that socket: MiniStack's own command
also listens on port 443 if it can, and writes files outside of our folder.
"""

import resource
import socket
import sys

from ministack.app import app
from ministack.core.tls import resolve_tls_material
from uvicorn import Config, Server

from patchbay.local.emulator.batches import limit_batches
from patchbay.local.emulator.cold_starts import one_at_a_time
from patchbay.local.emulator.error_types import report_error_types
from patchbay.local.emulator.shared_layers import share_layers
from patchbay.processes.exit_with_parent import end_with_parent


def main(descriptor: int) -> None:
    """Serve until the parent ends."""
    end_with_parent()
    share_layers()
    report_error_types()
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
    # Given a descriptor, uvicorn would create a socket of another family, for which it does not
    # turn off Nagle's algorithm: each answer would be delayed by 40 ms.
    Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
