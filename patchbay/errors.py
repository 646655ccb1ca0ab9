"""The one root of all errors that a user can mend."""


class UserError(Exception):
    """Says in a few lines what happened, where, and what to do; never shown as a traceback."""
