"""The exceptions of the runtime."""


class Reject(Exception):
    """The event can never be handled, so it is not retried.

    Raised by a handler, it sends the message to the dead-letter queue at once, with the reason.
    """


class PublishFailed(Exception):
    """Events could not be put on the bus. The message names each of them."""


class EventTooLarge(PublishFailed, Reject):
    """An event has more data than consumers can read. It is not retried."""
