"""Secrets of one run of the console: with them it authenticates requests."""

import secrets
from hmac import compare_digest

BYTES = 32


class Keys:
    """Secrets that are new in each run, and never written to a file.

    `printed` opens the console as long as it runs: only its owner's terminal shows it. A ticket
    opens it once: it is on the command line of the browser that the console starts, and every user
    of the machine can read that. Both are exchanged for `session`, which the browser keeps in a
    cookie. `change` is on the pages only: a request that carries it comes from one of them.
    """

    def __init__(self) -> None:
        self.printed = secrets.token_urlsafe(BYTES)
        self.session = secrets.token_urlsafe(BYTES)
        self.change = secrets.token_urlsafe(BYTES)
        self._tickets: set[str] = set()

    def ticket(self) -> str:
        """Return a new key that opens the console once."""
        ticket = secrets.token_urlsafe(BYTES)
        self._tickets.add(ticket)
        return ticket

    def opens(self, key: str) -> bool:
        """Return whether a key opens the console; a ticket opens it once."""
        if same(key, self.printed):
            return True
        known = [ticket for ticket in self._tickets if same(key, ticket)]
        self._tickets.difference_update(known)
        return bool(known)


def same(given: str, secret: str) -> bool:
    """Return whether both are equal, in constant time."""
    return compare_digest(given.encode(), secret.encode())
