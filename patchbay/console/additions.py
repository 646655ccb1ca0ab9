"""A project's own part of the console of its local stage: troubles, actions and pages.

The console shows them and calls their functions, each in a thread; it knows nothing else of them.
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
    """A sentence that says what the app sees of it."""
    health: Literal["well", "behind", "failing"] = "failing"
    """The colour in which it is shown."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something around the app that can be broken on purpose, and repaired."""

    id: str
    """Letters, digits and hyphens."""
    title: str
    modes: Sequence[Mode]
    """The first is how it behaves when nothing is broken."""
    current: Callable[[], str]
    """Returns the name of the mode that it is in."""
    switch: Callable[[str], object]
    """Puts it into the mode of that name; may raise UserError."""

    def mode(self) -> Mode:
        """Return the mode that it is in."""
        return self.mode_named(self.current())

    def mode_named(self, name: str) -> Mode:
        """Return the mode of that name; raises UserError."""
        for mode in self.modes:
            if mode.name == name:
                return mode
        known = ", ".join(mode.name for mode in self.modes)
        raise UserError(f"{self.title} can't be {name!r}: it can be {known}.")

    def repair(self) -> None:
        """Put it into its first mode."""
        self.switch(self.modes[0].name)


@dataclass(frozen=True, kw_only=True)
class NumberField:
    """A whole number that an action asks for."""

    name: str
    """The name of the argument that `run` gets it by."""
    label: str
    least: int = 1
    most: int
    initial: int


@dataclass(frozen=True)
class Progress:
    """How far an action is that goes on after it was started."""

    text: str
    is_going_on: bool = False
    failure: str | None = None
    """Why it stopped early, if it did."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that can be done to the app, with a button."""

    id: str
    """Letters, digits and hyphens."""
    title: str
    description: str
    button: str
    fields: Sequence[NumberField] = ()
    run: Callable[..., str | None]
    """Called with each field's number by the field's name; returns a message to show, if any."""
    progress: Callable[[], Progress | None] = lambda: None
    """Returns how far it is, if it was started; shown in place of the description."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the project's own."""

    id: str
    """Letters, digits and hyphens: its address is /project/ID."""
    title: str
    content: Callable[[], str]
    """Returns its text. It is escaped, unless it is markupsafe.Markup."""


@dataclass(frozen=True, kw_only=True)
class Additions:
    """All that a project adds to the console."""

    troubles: Sequence[Trouble] = ()
    actions: Sequence[Action] = ()
    pages: Sequence[Page] = ()


_Item = TypeVar("_Item", Trouble, Action, Page)


def find(items: Sequence[_Item], id: str) -> _Item:
    """Return the one with that id; raises UserError."""
    for item in items:
        if item.id == id:
            return item
    known = [item.id for item in items]
    raise UserError(f"The project adds no {id!r} to the console. {suggestion(id, known)}".strip())
