"""Ports on this machine."""

import errno
import socket

from patchbay.errors import UserError

HOST = "127.0.0.1"
TRIES = 100
BACKLOG = 128


def reserve(preferred: int) -> socket.socket:
    """Return a socket that listens on the first free port from `preferred` on.

    The same port in every run keeps addresses and templates the same. The socket already listens,
    so that no other process can take the port, and early clients wait until the server is up.
    """
    for port in range(preferred, preferred + TRIES):
        reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            reserved.bind((HOST, port))
            reserved.listen(BACKLOG)
        except OSError as error:
            reserved.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return reserved
    raise UserError(f"No port from {preferred} to {preferred + TRIES - 1} is free on {HOST}.")
