"""Roles: nothing on everything, and no event but one's own."""

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
    """A role names what it may do, and to what.

    The policies of keys and queues are no roles': in a key's, `*` is the key itself.
    """
    for grant in _allowed(system):
        if "NotAction" in grant.statement or "NotResource" in grant.statement:
            yield Finding(
                grant.policy,
                f"{_holder(grant)} may do all but what a statement excepts: whatever AWS invents "
                "tomorrow, too. Name the actions and the resources.",
                detail="Not",
            )
        resources = ["".join(texts(r)) for r in listed(grant.statement.get("Resource", ""))]
        for action in grant.actions:
            if "*" in action:
                yield Finding(
                    grant.policy,
                    f"{_holder(grant)} may {action}, which is more than one action: a bug could do "
                    "what it never needs. Name each action.",
                    detail=action,
                )
            elif any("*" in resource and not _is_folder(resource) for resource in resources):
                yield Finding(
                    grant.policy,
                    f"{_holder(grant)} may {action} on any resource: a bug could reach another "
                    "service's. Name the resource; where the action knows none, accept this.",
                    detail=action,
                )


def publishing(system: System) -> Iterator[Finding]:
    """Who puts events puts them on the system's bus, and only those that its service owns."""
    known = {(event.source(), event.detail_type()): event for event in system.events}
    for grant in _allowed(system):
        if "events:PutEvents" in grant.actions:
            yield from _bus(grant)
            pairs = may_publish(grant.statement)
            if pairs is None or _has_other_conditions(grant.statement):
                yield Finding(
                    grant.policy,
                    f"{_holder(grant)} may publish any event in anyone's name: its PutEvents is "
                    f"not limited by {' and '.join(KEYS)}. Declare what it publishes.",
                )
                continue
            for source, detail_type in sorted(pairs):
                yield from _event(grant, source, detail_type, known)


def _is_folder(resource: str) -> bool:
    """Whether it is what a folder of a bucket holds, which S3 knows no other name for."""
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
                f"{_holder(grant)} may put events on another bus than {bus}: there, nothing of "
                f"this system would see them. Name {bus} as the resource.",
            )


def _has_other_conditions(statement: Mapping[str, Any]) -> bool:
    """Whether the sources or types are asked for in a way that lets in more than it names."""
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
            "describes: no consumer could know what is in it. Write its contract, or take it away.",
        )
    elif owner(source) != service_of(grant.role):
        yield Finding(
            grant.policy,
            f"{_holder(grant)} may publish {detail_type}, which is the {owner(source)} service's "
            "own: its consumers could not tell who says so. Publish an event of the "
            f"{service_of(grant.role)} service's instead.",
        )


def _holder(grant: Grant) -> str:
    """Whoever has the role: its function or state machine, if there is one."""
    for actor in actors(grant.role.template):
        if role_of(actor) == grant.role:
            word = "Function" if actor.kind == "Lambda::Function" else "State machine"
            return f"{word} {actor.name}"
    return f"Role {grant.role.name}"
