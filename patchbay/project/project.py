"""A project, as `[tool.patchbay]` in its pyproject.toml describes it.

[tool.patchbay]
name = "clinic"                 # the prefix of physical names
namespace = "clinic"            # the prefix of its events' sources; by default, the name

[tool.patchbay.stages.prod]     # only the options that differ from the defaults of its name
kind = "prod"
account = "111111111111"
region = "eu-central-1"

[tool.patchbay.stages.prod.settings.reminders]
sender = "desk@clinic.example"  # a setting that the service `reminders` declares
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from patchbay.errors import UserError
from patchbay.project.root import ROOT

Kind = Literal["local", "dev", "prod"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# The longest name is that of the claims' bucket, for which S3's limit is 63 characters:
# NAME-STAGE-claims-ACCOUNT-REGION, with 12 digits and the 14 characters of ap-southeast-1.
MAX_NAME = 15  # characters
MAX_STAGE = 12  # characters

# A hyphen is followed by a digit, as in pr-17. In a physical name, the part after the stage begins
# with a letter, so that no two stages can share a name.
STAGE_PATTERN = r"[a-z][a-z0-9]*(?:-[0-9][a-z0-9]*)*"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAMESPACE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_ACCOUNT = re.compile(r"\d{12}")
_FILE = "pyproject.toml"
_KEYS = frozenset({"name", "namespace", "stages", "local", "isolation"})
_STAGE_KEYS = frozenset({"kind", "account", "region", "settings"})

Settings = Mapping[str, Mapping[str, Any]]
"""Values by service, and by setting."""


class BadProject(UserError):
    """A pyproject.toml describes no project, or an invalid one."""


class BadStage(UserError):
    """A stage's name is invalid."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One deployment of the system."""

    name: str
    kind: Kind
    account: str | None = None
    """The AWS account that it belongs to; None for any account."""
    region: str | None = None
    settings: Settings = field(default_factory=dict, hash=False)

    @property
    def is_local(self) -> bool:
        return self.kind == "local"

    @property
    def keeps_data(self) -> bool:
        """Return whether its data is retained when its stacks are deleted."""
        return self.kind == "prod"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project's name, namespace, stages and extension points."""

    root: Path
    name: str
    namespace: str
    stages: Mapping[str, Stage]
    """The stages in pyproject.toml; any other name has the kind that `stage` gives it."""
    local: str | None = None
    """The class, as `module:Class`, that adds to the local cloud what only this project needs."""
    isolation: str | None = None
    """The class, as `module:Class`, with the project's invariants for the isolation matrix."""

    def stage(self, name: str) -> Stage:
        """Return the stage of that name; raises BadStage.

        `local` and `prod` are of the kinds of those names, and any other name is of kind dev.
        """
        if name in self.stages:
            return self.stages[name]
        return Stage(name=_stage_name(name), kind=name if name in KINDS else "dev")


@cache
def project(root: Path = ROOT) -> Project:
    """Read the project in a folder; raises BadProject."""
    file = root / _FILE
    try:
        described = tomllib.loads(file.read_text())
    except FileNotFoundError as error:
        raise BadProject(_no_project(root)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadProject(f"{file} can't be read: {error}.") from error
    section = described.get("tool", {}).get("patchbay")
    if not isinstance(section, dict):
        raise BadProject(_no_project(root))
    return parse(section, root)


def parse(section: Mapping[str, Any], root: Path) -> Project:
    """Return the project that a `[tool.patchbay]` section describes; raises BadProject."""
    _check_keys("[tool.patchbay]", section, _KEYS)
    name = check_name(section.get("name"))
    namespace = section.get("namespace", name.replace("-", "_"))
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace):
        raise BadProject(
            f"[tool.patchbay] namespace = {namespace!r}: use lower-case words, as in "
            '"clinic" or "clinic.front_desk".'
        )
    stages = {each: _stage(each, table) for each, table in section.get("stages", {}).items()}
    return Project(
        root=root,
        name=name,
        namespace=namespace,
        stages=stages,
        local=section.get("local"),
        isolation=section.get("isolation"),
    )


def check_name(name: object) -> str:
    """Return a project's name where it can be one; raises BadProject."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise BadProject(
            f"A project can't be called {name!r}: its name is the prefix of the names of its "
            f"resources. Use lower-case letters, digits and hyphens, {MAX_NAME} at most."
        )
    return name


def _stage(name: str, table: Any) -> Stage:
    where = f"[tool.patchbay.stages.{name}]"
    if not isinstance(table, dict):
        raise BadProject(f"{where} is not a table.")
    _check_keys(where, table, _STAGE_KEYS)
    kind = table.get("kind", name if name in KINDS else "dev")
    if kind not in KINDS:
        raise BadProject(f"{where} kind = {kind!r}: use one of {', '.join(KINDS)}.")
    account = table.get("account")
    if account is not None and not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise BadProject(f"{where} account = {account!r}: use 12 digits, in quotes.")
    return Stage(
        name=_stage_name(name),
        kind=kind,
        account=account,
        region=table.get("region"),
        settings=table.get("settings", {}),
    )


def _stage_name(name: str) -> str:
    if not re.fullmatch(STAGE_PATTERN, name) or len(name) > MAX_STAGE:
        raise BadStage(
            f"A stage can't be called {name!r}: use lower-case letters and digits, "
            f"{MAX_STAGE} at most, and a hyphen only before a digit, as in alice or pr-17."
        )
    return name


def _check_keys(where: str, table: Mapping[str, Any], known: frozenset[str]) -> None:
    for key in table:
        if key not in known:
            raise BadProject(
                f"{where} has no option {key!r}. The options are {', '.join(sorted(known))}."
            )


def _no_project(root: Path) -> str:
    return (
        f"There is no project in {root}: it has no pyproject.toml with a [tool.patchbay] section. "
        "Go to a project's folder, or create one: `patchbay new NAME`."
    )
