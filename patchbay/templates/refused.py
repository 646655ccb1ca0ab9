"""Why there will be no new consumer."""


class Refused(ValueError):
    """The consumer can't be written as it was asked for; nothing was."""
