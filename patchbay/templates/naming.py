"""What a new service is called, in Python and on AWS, and which names it can't have."""

import builtins
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from patchbay.errors import UserError
from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.project.naming import named
from patchbay.project.project import MAX_STAGE

LONGEST_STAGE = "s" * MAX_STAGE
MAX_FUNCTION = 64  # characters: Lambda's own limit
MAX_RULE = 64  # EventBridge's
MAX_QUEUE = 80  # SQS's

_WORDS = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
# A service called `x-dead-letters` would ask for the queue that holds the dead letters of `x`.
_SUFFIXES = ("dead-letters", "undelivered", "unpublished")
# What the generated files, or the broker's stack, already call something else.
_CLASSES_IN_USE = {"Service"}
_STACKS_IN_USE = {"broker"}


@dataclass(frozen=True)
class Name:
    """A service's name, in each of the forms in which it occurs."""

    module: str
    """As in functions/loyalty_points."""

    @property
    def service(self) -> str:
        """As in records-dev-loyalty-points."""
        return self.module.replace("_", "-")

    @property
    def class_name(self) -> str:
        """As in `class LoyaltyPoints(Service)`."""
        return "".join(word.capitalize() for word in self.module.split("_"))

    @property
    def handler(self) -> Path:
        return Path("functions", self.module, "handler.py")

    @property
    def stack(self) -> Path:
        return Path("stacks", f"{self.module}.py")

    @property
    def test(self) -> Path:
        return Path("tests", "functions", f"test_{self.module}.py")


def parse(text: str) -> Name:
    """The name that a reader typed, in either spelling; raises UserError for one that can't be."""
    if not _WORDS.fullmatch(text):
        raise UserError(
            f"{text!r} can't be a service's name: it takes lower-case words joined by hyphens, "
            "as in loyalty or loyalty-points."
        )
    name = Name(text.replace("-", "_"))
    if keyword.iskeyword(name.module) or keyword.iskeyword(name.class_name):
        raise UserError(f"{text!r} can't be a service's name: Python keeps that word for itself.")
    in_use = _CLASSES_IN_USE | set(events()) | set(dir(builtins))
    if name.class_name in in_use:
        raise UserError(
            f"{text!r} can't be a service's name: its class would be called {name.class_name}, "
            "which is something else already."
        )
    return name


def check_free(name: Name, root: Path) -> None:
    """Raises UserError where the name, or one that follows from it, belongs to another."""
    folder = root / name.handler.parent
    if name.service in _STACKS_IN_USE or folder.with_suffix(".py").exists() or _holds_files(folder):
        raise UserError(
            f"The name {name.service!r} is taken: there is a {_what_has(name, folder)}."
        )
    for path in (name.stack, name.test):
        if (root / path).exists():
            raise UserError(f"The name {name.service!r} is taken: there is a {path}.")
    for service in sorted(path.stem for path in root.glob("stacks/*.py")):
        parts = {path.stem for path in root.glob(f"functions/{service}/*.py")}
        if name.module in {f"{service}_{part}" for part in parts}:
            raise UserError(
                f"The name {name.service!r} is taken: it is what AWS calls a part of {service}."
            )
    for suffix in _SUFFIXES:
        if f"-{name.service}".endswith(f"-{suffix}"):
            raise UserError(
                f"{name.service!r} can't be a service's name: those ending in {suffix!r} are for "
                "the queues of other services."
            )


def free_name(text: str, root: Path) -> Name:
    """Return the name that a new service gets; raises UserError where it can't be had."""
    name = parse(text)
    check_free(name, root)
    check_length(name, [])
    return name


def check_length(name: Name, on: Sequence[type[Event]]) -> None:
    """Raises UserError where AWS would not take a name that follows from it, in some stage."""
    rules = [f"{name.service}-{event.source().replace('.', '-')}" for event in on]
    excess = max(
        len(named(LONGEST_STAGE, full)) - limit
        for full, limit in [
            (name.service, MAX_FUNCTION),
            (f"{name.service}-dead-letters", MAX_QUEUE),
            *((rule, MAX_RULE) for rule in rules),
        ]
    )
    if excess > 0:
        raise UserError(
            f"The name {name.service!r} is too long: with {len(name.service) - excess} characters "
            "or fewer, AWS takes all the names that follow from it."
        )


def _holds_files(folder: Path) -> bool:
    """Whether there is more in it than what Python left of a service that is gone."""
    return any(path.is_file() and path.suffix != ".pyc" for path in folder.rglob("*"))


def _what_has(name: Name, folder: Path) -> str:
    return f"stack {name.service}" if name.service in _STACKS_IN_USE else f"functions/{folder.name}"
