"""The rules of a bus, each with its pattern and its targets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from patchbay.project.naming import REPLAY_NAME
from patchbay.topology.event_pattern import EventPattern, InvalidEventPattern
from patchbay.topology.template import Resource, plain

Pattern = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule with an event pattern, from a template or from a live account."""

    name: str
    pattern: str
    """EventBridge's own JSON."""
    targets: tuple[str, ...] = ()
    """The ARNs of its targets; from a template, their logical ids."""
    arn: str | None = None
    """None where it is read from a template."""
    resource: Resource | None = field(default=None, compare=False, repr=False)
    """None where it is read from a live account."""

    def passes(self, event: str) -> bool:
        """Return whether it lets an event through, given as EventBridge's own JSON."""
        return _compiled(self.pattern).matches(event)

    def lets_through(self, source: str, detail_type: str) -> bool:
        """Return whether it lets events of that source and type through: all, or some."""
        address = _address(self._pattern)
        event = {"source": source, "detail-type": detail_type}
        try:
            return not address or EventPattern(json.dumps(address)).matches(json.dumps(event))
        except InvalidEventPattern:
            return False  # AWS would not take the rule

    @property
    def is_filtered(self) -> bool:
        """True if it tests more of a live event than its source and type."""
        pattern = {key: value for key, value in self._pattern.items() if key != REPLAY_NAME}
        return bool(pattern != _address(pattern))

    @property
    def takes_everything(self) -> bool:
        """True if it names no detail-type."""
        return "detail-type" not in self._pattern

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that it names; none where it matches them in another way, or takes all."""
        named = self._pattern.get("source", [])
        return tuple(named) if all(isinstance(each, str) for each in named) else ()

    @property
    def detail_types(self) -> tuple[str, ...]:
        """The detail-types that it names, sorted."""
        return tuple(sorted(t for t in self._pattern.get("detail-type", []) if isinstance(t, str)))

    @property
    def where(self) -> Pattern:
        """The tests of an event's data; of the whole event, if the rule tests more than that."""
        tests = {
            key: self._pattern[key]
            for key in self._pattern
            if key not in ("source", "detail-type", REPLAY_NAME)
        }
        match tests:
            case {"detail": {"data": dict(data), **metadata}, **others} if not metadata | others:
                return data
        return tests

    @property
    def _pattern(self) -> Pattern:
        pattern: Pattern = json.loads(self.pattern)
        return pattern


def rule_of(resource: Resource) -> Rule | None:
    """Read a rule from its resource in a template; None where it is on a schedule."""
    if "EventPattern" not in resource.properties:
        return None
    targets = (target["Arn"] for target in resource.properties.get("Targets", []))
    found = (resource.template.find(arn) for arn in targets)
    return Rule(
        name=resource.name,
        pattern=json.dumps(plain(resource.properties["EventPattern"])),
        targets=tuple(target.id for target in found if target),
        resource=resource,
    )


def lets_through(rule: Resource, source: str, detail_type: str) -> bool:
    """Return whether a template's rule lets events of that source and type through."""
    found = rule_of(rule)
    return found is not None and found.lets_through(source, detail_type)


def filters_content(rule: Resource) -> bool:
    """Return whether a template's rule tests more of an event than its source and type."""
    found = rule_of(rule)
    return found is not None and found.is_filtered


@cache
def _compiled(pattern: str) -> EventPattern:
    """Compile a pattern once, because an audit matches each rule with each event."""
    return EventPattern(pattern)


def _address(pattern: Pattern) -> dict[str, Any]:
    """Return the part of a pattern about the source and type: `{}` where there is none."""
    asked = {key: pattern[key] for key in ("source", "detail-type") if key in pattern}
    choices = [choice for choice in pattern.get("$or", []) if isinstance(choice, Mapping)]
    either = [_address(choice) for choice in choices]
    # One choice that tests neither accepts all sources and types, and so does the whole $or.
    return asked | ({"$or": either} if either and all(either) else {})
