"""Names of new services, in Python and on AWS, and the checks of them."""

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
# A service called `x-dead-letters` would need the same queue name as the dead letters of `x`.
_SUFFIXES = ("dead-letters", "undelivered", "unpublished")
# Names that the generated files, or the broker's stack, already use.
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
    """Return the name, from either spelling; raises UserError if it is invalid."""
    if not _WORDS.fullmatch(text):
        raise UserError(
            f"{text!r} can't be a service's name: use lower-case words joined by hyphens, "
            "as in loyalty or loyalty-points."
        )
    name = Name(text.replace("-", "_"))
    if keyword.iskeyword(name.module) or keyword.iskeyword(name.class_name):
        raise UserError(f"{text!r} can't be a service's name: it is a keyword of Python.")
    in_use = _CLASSES_IN_USE | set(events()) | set(dir(builtins))
    if name.class_name in in_use:
        raise UserError(
            f"{text!r} can't be a service's name: its class would be called {name.class_name}, "
            "a name that is already in use."
        )
    return name


def check_free(name: Name, root: Path) -> None:
    """Raise UserError if the name, or one that is derived from it, is taken."""
    folder = root / name.handler.parent
    if name.service in _STACKS_IN_USE or folder.with_suffix(".py").exists() or _holds_files(folder):
        raise UserError(
            f"The name {name.service!r} is taken: there is a {_owner_of(name, folder)}."
        )
    for path in (name.stack, name.test):
        if (root / path).exists():
            raise UserError(f"The name {name.service!r} is taken: there is a {path}.")
    for service in sorted(path.stem for path in root.glob("stacks/*.py")):
        parts = {path.stem for path in root.glob(f"functions/{service}/*.py")}
        if name.module in {f"{service}_{part}" for part in parts}:
            raise UserError(
                f"The name {name.service!r} is taken: AWS resources of {service} have it."
            )
    for suffix in _SUFFIXES:
        if f"-{name.service}".endswith(f"-{suffix}"):
            raise UserError(
                f"{name.service!r} can't be a service's name: those ending in {suffix!r} are for "
                "the queues of other services."
            )


def free_name(text: str, root: Path) -> Name:
    """Return the name of a new service; raises UserError if it is invalid or taken."""
    name = parse(text)
    check_free(name, root)
    check_length(name, [])
    return name


def check_length(name: Name, on: Sequence[type[Event]]) -> None:
    """Raise UserError if a physical name that is derived from it is too long, in any stage."""
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
            f"The name {name.service!r} is too long: use {len(name.service) - excess} characters "
            "or fewer, so that all names derived from it are within AWS's limits."
        )


def _holds_files(folder: Path) -> bool:
    """Return whether it has files other than the compiled ones of a deleted service."""
    return any(path.is_file() and path.suffix != ".pyc" for path in folder.rglob("*"))


def _owner_of(name: Name, folder: Path) -> str:
    return f"stack {name.service}" if name.service in _STACKS_IN_USE else f"functions/{folder.name}"
