"""An event of which nothing is known but its envelope."""

from typing import Any

from patchbay.events.event import Event, Metadata


class AnyEvent(Event):
    """Whatever is on the bus: for a consumer that listens to everything, such as a wire tap.

    What a claim stands for is not fetched: `data` is then what of it is on the bus.
    """

    metadata: Metadata
    from_source: str
    of_type: str
    data: dict[str, Any]
