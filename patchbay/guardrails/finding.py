"""What a check is given, and what it gives: the system, and findings in sentences."""

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
        """The resources of a kind, of every stack."""
        return [resource for template in self.templates.values() for resource in template.all(kind)]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: what, with its figures, what would come of it, and the way out."""

    at: Resource | None
    """Where it can be accepted; none where it concerns no single resource."""

    text: str
    detail: str | None = None
    """What of several kinds it is, where one construct is to accept one and not the others."""

    warning: bool = False
    """Whether it is merely worth knowing, and the system can be deployed as it is."""

    check: str = ""
    """The name of the check that found it."""

    @property
    def id(self) -> str:
        """The name by which a construct accepts it."""
        return f"{self.check}[{self.detail}]" if self.detail else self.check


Check = Callable[[System], Iterator[Finding]]


def name_of(check: Check) -> str:
    """As `accept` and the docs call it: its function's name, with hyphens."""
    return check.__name__.replace("_", "-")


def mapped(mapping: Resource) -> tuple[Resource | None, Resource | None]:
    """What an event source mapping reads, and the function that it feeds, as far as known here."""
    properties, find = mapping.properties, mapping.template.find
    return find(properties.get("EventSourceArn")), find(properties.get("FunctionName"))
