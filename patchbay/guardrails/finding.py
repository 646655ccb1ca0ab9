"""The input and the output of a check: the system, and findings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from patchbay.events.event import Event
from patchbay.topology.routes import Route, routes
from patchbay.topology.template import Resource, Template


@dataclass(frozen=True)
class System:
    """All templates of a stage, and the contracts that they serve."""

    templates: Mapping[str, Template]
    events: tuple[type[Event], ...]

    @cached_property
    def routes(self) -> list[Route]:
        return routes(self.templates, self.events)

    def all(self, kind: str) -> list[Resource]:
        """Return the resources of a kind in all stacks."""
        return [resource for template in self.templates.values() for resource in template.all(kind)]


@dataclass(frozen=True)
class Finding:
    """A violation of a check. Its text names the problem, the effect and the remedy."""

    at: Resource | None
    """The resource on which it can be accepted; None if it concerns no single resource."""

    text: str
    detail: str | None = None
    """The kind of violation, where a construct should be able to accept one kind of several."""

    warning: bool = False
    """True if the system can be deployed nevertheless."""

    check: str = ""
    """The name of the check that found it."""

    @property
    def id(self) -> str:
        """The name by which a construct accepts it."""
        return f"{self.check}[{self.detail}]" if self.detail else self.check


Check = Callable[[System], Iterator[Finding]]


def name_of(check: Check) -> str:
    """Return a check's name in `accept` and in the docs: its function's, with hyphens."""
    return check.__name__.replace("_", "-")


def mapped(mapping: Resource) -> tuple[Resource | None, Resource | None]:
    """Return the source and the function of an event source mapping; None if in another stack."""
    properties, find = mapping.properties, mapping.template.find
    return find(properties.get("EventSourceArn")), find(properties.get("FunctionName"))
