"""The broker: the bus, its archive, the claims, and the topic to which every alarm goes."""

from patchbay.constructs import Claims, EventBus, SystemStack, add_alarm_topic


class Broker(SystemStack):
    """Delivers events from publishers to consumers, and depends on neither."""

    def compose(self) -> None:
        EventBus(self, "Bus")
        Claims(self, "Claims")
        add_alarm_topic(self)
