"""Checks of the flow of events: each has a publisher and a consumer, and none loops for ever."""

from collections import deque
from collections.abc import Iterator, Mapping

from patchbay.guardrails.finding import Finding, System
from patchbay.topology.consumers import starters
from patchbay.topology.routes import Route
from patchbay.topology.template import Resource

# For each function, its events' names, each with a function that receives it.
Steps = Mapping[Resource, list[tuple[str, Resource]]]


def published(system: System) -> Iterator[Finding]:
    """Find each event without a publisher: an error if a rule names it, otherwise a warning."""
    for route in system.routes:
        if route.publishers:
            continue
        name = route.event.detail_type()
        subscriptions = route.own_subscriptions
        if not subscriptions:
            yield Finding(
                None,
                f"Event {name} is in the contracts, but nothing publishes or consumes it.",
                warning=True,
            )
        for subscription in subscriptions:
            yield Finding(
                subscription.rules[0].resource,
                f"Rule {subscription.rules[0].name} matches {name}, which nothing may publish: "
                f"{subscription.function.name} would never receive it. Declare it in `publishes` "
                f"in the {route.owner} service.",
                detail=name,
            )


def consumed(system: System) -> Iterator[Finding]:
    """Find each event that is published and has no consumer.

    It is a warning only: a publisher does not know its consumers, and the last one may be removed.
    """
    for route in system.routes:
        if route.publishers and not route.subscriptions:
            publisher = route.publishers[0].resource
            yield Finding(
                publisher,
                f"Event {route.event.detail_type()}, which {publisher.name} publishes, has no "
                "consumer.",
                detail=route.event.detail_type(),
                warning=True,
            )


def loop(system: System) -> Iterator[Finding]:
    """Find each function that receives events that it causes itself."""
    steps = _steps(system.routes)
    reported: set[frozenset[Resource]] = set()
    for start in sorted(steps, key=lambda function: function.name):
        path = _shortest_loop(start, steps)
        members = frozenset(function for _, function in path)
        if path and members not in reported:
            reported.add(members)
            yield Finding(
                start,
                f"Function {start.name} would receive events that it causes itself: "
                + ", ".join(f"{name} goes to {function.name}" for name, function in path)
                + ". One event could go round for ever, at full speed. Break the loop; or, if the "
                f"handlers end it, accept this finding on {start.name} and give the reason.",
            )


def _steps(routes: list[Route]) -> Steps:
    """Return, for each function that publishes, its events and the functions that receive them.

    A state machine's events count as events of the functions that start it.
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


def _shortest_loop(start: Resource, steps: Steps) -> list[tuple[str, Resource]]:
    """Return the shortest path from a function's events to itself; empty if there is none."""
    waiting: deque[list[tuple[str, Resource]]] = deque([step] for step in steps[start])
    seen: set[Resource] = set()
    while waiting:
        path = waiting.popleft()
        _, reached = path[-1]
        if reached == start:
            return path
        if reached not in seen:
            seen.add(reached)
            waiting.extend([*path, step] for step in steps.get(reached, []))
    return []
