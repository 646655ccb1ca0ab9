"""The way of the events: each has a publisher and a consumer, and none goes round for ever."""

from collections import deque
from collections.abc import Iterator, Mapping

from patchbay.guardrails.finding import Finding, System
from patchbay.topology.consumers import starters
from patchbay.topology.routes import Route
from patchbay.topology.template import Resource

# What a function's event leads to: the next function, and the event's name.
Steps = Mapping[Resource, list[tuple[str, Resource]]]


def published(system: System) -> Iterator[Finding]:
    """Somebody may publish each event that is waited for, or at least described."""
    for route in system.routes:
        if route.publishers:
            continue
        name = route.event.detail_type()
        waiting = route.own_subscriptions
        if not waiting:
            yield Finding(
                None,
                f"Event {name} is in the contracts, and nobody publishes or consumes it.",
                warning=True,
            )
        for subscription in waiting:
            yield Finding(
                subscription.rules[0].resource,
                f"Rule {subscription.rules[0].name} waits for {name}, which nobody may publish: "
                f"{subscription.function.name} would never run for it. Declare it in `publishes` "
                f"in the {route.owner} service.",
                detail=name,
            )


def consumed(system: System) -> Iterator[Finding]:
    """Somebody consumes each event that is published, if only a wire tap.

    That is no fault: a publisher knows nothing of its consumers, and the last one may go.
    """
    for route in system.routes:
        if route.publishers and not route.subscriptions:
            publisher = route.publishers[0].resource
            yield Finding(
                publisher,
                f"Event {route.event.detail_type()}, which {publisher.name} publishes, is consumed "
                "by nobody.",
                detail=route.event.detail_type(),
                warning=True,
            )


def loop(system: System) -> Iterator[Finding]:
    """What a consumer publishes does not come back to it, unless it says that this ends."""
    steps = _steps(system.routes)
    told: set[frozenset[Resource]] = set()
    for start in sorted(steps, key=lambda function: function.name):
        way = _way_back(start, steps)
        members = frozenset(function for _, function in way)
        if way and members not in told:
            told.add(members)
            yield Finding(
                start,
                f"Function {start.name} would be handed what itself causes: "
                + ", ".join(f"{name} goes to {function.name}" for name, function in way)
                + ". One event could go round for ever, at full speed. Break the circle; or, if "
                f"the handlers end it, accept this on {start.name} and say how.",
            )


def _steps(routes: list[Route]) -> Steps:
    """For each function that publishes: its events, and whom they reach.

    What a state machine publishes is the doing of whoever starts it.
    """
    steps: dict[Resource, list[tuple[str, Resource]]] = {}
    for route in routes:
        for publisher in route.publishers:
            for function in _functions_behind(publisher.resource):
                reached = steps.setdefault(function, [])
                reached += [(route.event.detail_type(), s.function) for s in route.subscriptions]
    return steps


def _functions_behind(publisher: Resource) -> list[Resource]:
    is_machine = publisher.kind == "StepFunctions::StateMachine"
    return starters(publisher) if is_machine else [publisher]


def _way_back(start: Resource, steps: Steps) -> list[tuple[str, Resource]]:
    """The shortest way from a function's events to itself; empty if there is none."""
    waiting: deque[list[tuple[str, Resource]]] = deque([step] for step in steps[start])
    seen: set[Resource] = set()
    while waiting:
        way = waiting.popleft()
        _, reached = way[-1]
        if reached == start:
            return way
        if reached not in seen:
            seen.add(reached)
            waiting.extend([*way, step] for step in steps.get(reached, []))
    return []
