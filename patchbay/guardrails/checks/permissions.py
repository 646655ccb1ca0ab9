"""Checks of roles: exact actions and resources, and only the service's own events."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from patchbay.events.event import Event
from patchbay.guardrails.finding import Finding, System
from patchbay.project.naming import bus_name, parsed
from patchbay.topology.consumers import actors, role_of
from patchbay.topology.routes import EXACT, KEYS, may_publish, owner, service_of
from patchbay.topology.template import Grant, listed, texts


def wildcard(system: System) -> Iterator[Finding]:
    """Find each role that does not name its actions and its resources.

    Resource policies are left out: in a key's policy, `*` is the key itself.
    """
    for grant in _allowed(system):
        if "NotAction" in grant.statement or "NotResource" in grant.statement:
            yield Finding(
                grant.policy,
                f"{_holder(grant)} may do everything that a statement does not exclude, also the "
                "actions that AWS adds later. Name the actions and the resources.",
                detail="Not",
            )
        resources = ["".join(texts(r)) for r in listed(grant.statement.get("Resource", ""))]
        for action in grant.actions:
            if "*" in action:
                yield Finding(
                    grant.policy,
                    f"{_holder(grant)} may {action}, which is more than one action: a bug could "
                    "do what the function never needs. Name each action.",
                    detail=action,
                )
            elif any("*" in resource and not _is_folder(resource) for resource in resources):
                yield Finding(
                    grant.policy,
                    f"{_holder(grant)} may {action} on any resource: a bug could reach another "
                    "service's. Name the resource; where the action supports none, accept this "
                    "finding.",
                    detail=action,
                )


def publishing(system: System) -> Iterator[Finding]:
    """Find each role that may put events on another bus, or events of another service."""
    known = {(event.source(), event.detail_type()): event for event in system.events}
    for grant in _allowed(system):
        if "events:PutEvents" in grant.actions:
            yield from _bus(grant)
            pairs = may_publish(grant.statement)
            if pairs is None or _has_other_conditions(grant.statement):
                yield Finding(
                    grant.policy,
                    f"{_holder(grant)} may publish any event as any service: its PutEvents is not "
                    f"limited by {' and '.join(KEYS)}. Declare what it publishes.",
                )
                continue
            for source, detail_type in sorted(pairs):
                yield from _event(grant, source, detail_type, known)


def _is_folder(resource: str) -> bool:
    """Return whether a resource is a folder of a bucket, for which S3 has no other name."""
    return bool(re.search(r":s3:::[^/*]+/[^*]+/\*$", resource))


def _allowed(system: System) -> Iterator[Grant]:
    for template in system.templates.values():
        for grant in template.grants():
            if grant.statement["Effect"] == "Allow":
                yield grant


def _bus(grant: Grant) -> Iterator[Finding]:
    found = parsed(grant.role.stack)
    bus = bus_name(found[0]) if found else grant.role.stack
    for resource in listed(grant.statement.get("Resource", [])):
        arn = "".join(texts(resource))
        if not arn.endswith(f":event-bus/{bus}") or "*" in arn:
            yield Finding(
                grant.policy,
                f"{_holder(grant)} may put events on another bus than {bus}: nothing in this "
                f"system would receive them. Name {bus} as the resource.",
            )


def _has_other_conditions(statement: Mapping[str, Any]) -> bool:
    """Return whether a condition on source or type allows more than the values that it names."""
    return any(
        key in KEYS and operator not in EXACT
        for operator, condition in statement.get("Condition", {}).items()
        for key in condition
    )


def _event(
    grant: Grant, source: str, detail_type: str, known: Mapping[tuple[str, str], type[Event]]
) -> Iterator[Finding]:
    if (source, detail_type) not in known:
        yield Finding(
            grant.policy,
            f"{_holder(grant)} may publish {detail_type} from {source}, which no contract "
            "describes: no consumer could know its fields. Write its contract, or remove the "
            "permission.",
        )
    elif owner(source) != service_of(grant.role):
        yield Finding(
            grant.policy,
            f"{_holder(grant)} may publish {detail_type}, which is the {owner(source)} service's "
            "event: its consumers could not tell who published it. Publish an event of the "
            f"{service_of(grant.role)} service's instead.",
        )


def _holder(grant: Grant) -> str:
    """Return a name for the function or state machine that has the role, or for the role."""
    for actor in actors(grant.role.template):
        if role_of(actor) == grant.role:
            word = "Function" if actor.kind == "Lambda::Function" else "State machine"
            return f"{word} {actor.name}"
    return f"Role {grant.role.name}"
