"""What whoever writes or deploys a stack can mend."""


class Mistake(Exception):
    """Said in a line or a few when the app is synthesized, and not as a traceback."""
