"""The greenhouse: the broker, and every service found in stacks/."""

from patchbay.app import add_services, synthesizing
from stacks.broker import Broker

with synthesizing() as app:
    broker = Broker(app)
    add_services(app, after=broker)
