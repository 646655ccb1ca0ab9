"""The secrets of one run of the console: who may read, and who may change anything."""

import secrets
from hmac import compare_digest

BYTES = 32


class Keys:
    """New in every run, and in no file.

    `printed` opens the console as long as it runs: it is on its owner's terminal, and nowhere else.
    A ticket opens it once: a browser is started with it on its command line, which every user of
    the machine can read. Both are traded for `session`, which the browser keeps in a cookie.
    `change` is on the pages only, so that a request that carries it comes from one of them.
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
        """Return whether a key opens the console. A ticket does so once."""
        if same(key, self.printed):
            return True
        known = [ticket for ticket in self._tickets if same(key, ticket)]
        self._tickets.difference_update(known)
        return bool(known)


def same(given: str, secret: str) -> bool:
    """Return whether both are equal, in constant time."""
    return compare_digest(given.encode(), secret.encode())
