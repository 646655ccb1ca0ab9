"""The failures that messaging tells apart."""


class Reject(Exception):
    """The event can never be handled: retrying won't help.

    Raised by a handler, it sends the message to the dead-letter queue at once, with the reason.
    """


class PublishFailed(Exception):
    """Events that were to be published did not get onto the bus. Its text names each of them."""


class EventTooLarge(PublishFailed, Reject):
    """An event with more data than consumers can read, which no retry will shrink."""
