"""Serves the embedded cloud, in an environment that holds it: `python -m local.server FD`.

It listens on the socket that it is given, and on no other: MiniStack's own command takes port 443
as well if it can, and keeps files outside our folder.
"""

import asyncio
import resource
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.core.tls import resolve_tls_material

from local.error_types import tell_error_types
from local.shared_layers import share_layers
from local.tether import end_with_parent


def main(socket: int) -> None:
    """Serve until the parent is gone."""
    end_with_parent()
    share_layers()
    tell_error_types()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    config = Config()
    config.bind = [f"fd://{socket}"]
    config.certfile, config.keyfile = resolve_tls_material()
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main(int(sys.argv[1]))
