"""A project's additions to the console of its local stage: troubles, actions and pages.

The console shows them, and calls their functions, each in a thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from patchbay.did_you_mean import suggestion
from patchbay.errors import UserError


@dataclass(frozen=True)
class Mode:
    """A way in which something around the app behaves."""

    name: str
    """A short word, such as "well" or "down"."""
    effect: str
    """A sentence: the effect on the app."""
    health: Literal["well", "behind", "failing"] = "failing"
    """The state whose colour the console shows it in."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something around the app that can be broken on purpose, and repaired."""

    id: str
    """Letters, digits and hyphens."""
    title: str
    modes: Sequence[Mode]
    """The first one is the healthy mode."""
    current: Callable[[], str]
    """Returns the name of the current mode."""
    switch: Callable[[str], object]
    """Switches to the mode of that name; may raise UserError."""

    def mode(self) -> Mode:
        """Return the current mode."""
        return self.mode_named(self.current())

    def mode_named(self, name: str) -> Mode:
        """Return the mode of that name; raises UserError."""
        for mode in self.modes:
            if mode.name == name:
                return mode
        known = ", ".join(mode.name for mode in self.modes)
        raise UserError(f"{self.title} can't be {name!r}: it can be {known}.")

    def repair(self) -> None:
        """Switch to the first mode, the healthy one."""
        self.switch(self.modes[0].name)


@dataclass(frozen=True, kw_only=True)
class NumberField:
    """A whole number that an action asks for."""

    name: str
    """The name of `run`'s argument."""
    label: str
    least: int = 1
    most: int
    initial: int


@dataclass(frozen=True)
class Progress:
    """Progress of an action that continues in the background."""

    text: str
    is_going_on: bool = False
    failure: str | None = None
    """The reason why it stopped early, if it did."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action on the app, with a button."""

    id: str
    """Letters, digits and hyphens."""
    title: str
    description: str
    button: str
    fields: Sequence[NumberField] = ()
    run: Callable[..., str | None]
    """Called with each field's number by the field's name; returns a message to show, if any."""
    progress: Callable[[], Progress | None] = lambda: None
    """Returns the progress, if it was started; shown instead of the description."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page that the project adds."""

    id: str
    """Letters, digits and hyphens: its address is /project/ID."""
    title: str
    content: Callable[[], str]
    """Returns the page's text. The console escapes it, unless it is markupsafe.Markup."""


@dataclass(frozen=True, kw_only=True)
class Additions:
    """Everything that a project adds to the console."""

    troubles: Sequence[Trouble] = ()
    actions: Sequence[Action] = ()
    pages: Sequence[Page] = ()


_Item = TypeVar("_Item", Trouble, Action, Page)


def find(items: Sequence[_Item], id: str) -> _Item:
    """Return the item with that id; raises UserError."""
    for item in items:
        if item.id == id:
            return item
    known = [item.id for item in items]
    raise UserError(f"The project adds no {id!r} to the console. {suggestion(id, known)}".strip())
