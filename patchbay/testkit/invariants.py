"""The invariants of a project, which must hold under any fault, and the actions of its users.

The isolation matrix and the random schedules come with the package. A project adds its own
invariants in a subclass of `Invariants`, which its pyproject.toml names:

    [tool.patchbay]
    isolation = "tests.invariants:ClinicsInvariants"
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from patchbay.errors import UserError
from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.events.examples import example
from patchbay.project.project import project
from patchbay.project.root import ROOT
from patchbay.testkit.cloud import Cloud

C = TypeVar("C", bound=Cloud)


@dataclass(frozen=True)
class PublishExample:
    """Publish an example of an event, as any publisher would."""

    event: type[Event]

    def __call__(self, cloud: Cloud) -> str:
        return cloud.publish(self.event(**example(self.event)))

    def __repr__(self) -> str:
        return f"PublishExample({self.event.__name__})"


class Invariants(Generic[C]):
    """The invariants of a system, and the actions of its users.

    By default, the actions publish examples of the project's events. The only invariants are those
    of every system: each consumer handles each of its events, and none is lost.
    """

    cloud_type: type[Any] = Cloud
    """The class of the cloud in the methods: `Cloud`, or the project's own subclass."""

    def events(self) -> Sequence[type[Event]]:
        """Return the events that must be published: by default, all of the project's contracts."""
        return list(events().values())

    def actions(self) -> Sequence[Callable[[C], object]]:
        """Return the actions of users and other systems. An action's `repr` should describe it."""
        return [PublishExample(event) for event in self.events()]

    def drive(self, cloud: C) -> None:
        """Use the system: by default, perform each action once."""
        for action in self.actions():
            action(cloud)

    def drive_later(self, cloud: C) -> None:
        """Use the system again, some minutes later, while events of `drive` are being retried."""
        self.drive(cloud)

    def prepare(self, cloud: C) -> None:
        """Prepare the system before the actions. By default, do nothing."""

    def effects(self, cloud: C) -> Mapping[str, object]:
        """Return the effects, by name, that must be the same with and without a fault.

        For example `{"the balance of account 7": "$12.00"}`. By default, there are none.
        """
        return {}

    def broken(self, cloud: C) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold when the system is at rest.

        For example "appointment 7 was booked 2 times". By default, there are none.
        """
        yield from ()


def of_project(root: Path = ROOT) -> Invariants[Any]:
    """Return the invariants that a project's pyproject.toml names, or the default ones.

    Raise UserError if the class can't be imported, or is no subclass of `Invariants`.
    """
    named = project(root).isolation
    if named is None:
        return Invariants()
    module, _, attribute = named.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"pyproject.toml has `isolation = {named!r}` under [tool.patchbay], which can't be "
            f"imported ({error}). Name a class as `package.module:Class`."
        ) from error
    if not (isinstance(found, type) and issubclass(found, Invariants)):
        raise UserError(
            f"pyproject.toml has `isolation = {named!r}` under [tool.patchbay], which is no "
            "subclass of patchbay.testkit.invariants.Invariants."
        )
    return found()
