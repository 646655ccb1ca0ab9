"""What each consumer's code says of itself, read from the handler that its template names."""

from collections.abc import Iterator
from typing import Any

from patchbay.events.catalogue import events as catalogue
from patchbay.events.event import AnyEvent, Event
from patchbay.testkit.aws.function import CONSUMER, MEMORY, Function, code_of
from patchbay.testkit.code import entered
from patchbay.testkit.templates import Templates

Address = tuple[str, str]
"""Where an event is on the bus: its source and its detail-type."""


def annotated(function: Function) -> set[Address]:
    """The events that a consumer's handler takes; raises InitFailed if it won't load."""
    events = _taken(function)
    if AnyEvent.detail_type() in events:
        events = catalogue()
    return {(event.source(), event.detail_type()) for event in events.values()}


def _taken(function: Function) -> dict[str, type[Event]]:
    """The events in the annotation of a handler, by their types."""
    code = code_of(function)
    messaging: Any = code.modules[CONSUMER]
    with entered(code):
        events: dict[str, type[Event]] = messaging.subscriptions(code.handler.__wrapped__)  # type: ignore[attr-defined]
    return events


def says_it_is_idempotent(function: Function) -> bool:
    """Whether its handler is marked as naturally idempotent; raises InitFailed."""
    code = code_of(function)
    return hasattr(code.handler, "naturally_idempotent")


def mismatches(templates: Templates, routed: dict[str, set[Address]]) -> Iterator[str]:
    """Where what a handler says and what its stack says differ, a sentence each.

    `routed` are the events that each consumer's rules pass, by its name.
    """
    for function in templates.functions.values():
        if function.short_name not in routed:
            continue
        if says_it_is_idempotent(function) == (MEMORY in function.environment):
            yield (
                f"Of {function.short_name}, either its handler says that it is naturally "
                "idempotent or its stack does: let both say so, or neither."
            )
        taken, given = annotated(function), routed[function.short_name]
        for source, detail_type in sorted(taken - given):
            yield (
                f"The handler of {function.short_name} takes {detail_type} from {source}, but no "
                "rule passes it: add it to `on=` in its stack."
            )
        for source, detail_type in sorted(given - taken):
            yield (
                f"{function.short_name} gets {detail_type} from {source}, which its handler does "
                "not take: add it to the annotation, or remove it from `on=` in its stack."
            )
