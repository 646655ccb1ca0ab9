"""The constructs and filters of a project's stacks."""

from patchbay.constructs.alarms import add_alarm_topic
from patchbay.constructs.claims import Claims
from patchbay.constructs.consumer import Tuning
from patchbay.constructs.event_bus import EventBus
from patchbay.constructs.function import Function
from patchbay.constructs.service import Service, SystemStack
from patchbay.events.filters import (
    above,
    at_least,
    at_most,
    below,
    between,
    equals,
    missing,
    none_of,
    one_of,
    prefix,
    suffix,
)
from patchbay.guardrails.guard import accept
from patchbay.project.settings import Setting

__all__ = [
    "Claims",
    "EventBus",
    "Function",
    "Service",
    "Setting",
    "SystemStack",
    "Tuning",
    "above",
    "accept",
    "add_alarm_topic",
    "at_least",
    "at_most",
    "below",
    "between",
    "equals",
    "missing",
    "none_of",
    "one_of",
    "prefix",
    "suffix",
]
