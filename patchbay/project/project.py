"""A project, as `[tool.patchbay]` in its pyproject.toml describes it.

[tool.patchbay]
name = "clinic"                 # the prefix of physical names
namespace = "clinic"            # of the sources of its events; the name, where it is not given

[tool.patchbay.stages.prod]     # only for what differs from what a stage's name implies
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

# The longest name of all is that of the claims' bucket, of which S3 takes 63 characters:
# NAME-STAGE-claims-ACCOUNT-REGION, with 12 digits and the 14 characters of ap-southeast-1.
MAX_NAME = 15  # characters
MAX_STAGE = 12  # characters

# After a hyphen comes a digit, as in pr-17. What follows a stage in a physical name begins with a
# letter: so no two stages can share a name.
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
    """A pyproject.toml does not describe a project, or describes one that can't be."""


class BadStage(UserError):
    """No stage can have that name."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One deployment of the system."""

    name: str
    kind: Kind
    account: str | None = None
    """The AWS account that it belongs to; any, where None."""
    region: str | None = None
    settings: Settings = field(default_factory=dict, hash=False)

    @property
    def is_local(self) -> bool:
        return self.kind == "local"

    @property
    def keeps_data(self) -> bool:
        """Whether its data outlives its stacks."""
        return self.kind == "prod"


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a project says of itself."""

    root: Path
    name: str
    namespace: str
    stages: Mapping[str, Stage]
    """Those that are described; any other name is of the kind that it implies."""
    local: str | None = None
    """The class, as `module:Class`, that adds to the local cloud what only this project needs."""
    isolation: str | None = None
    """The class, as `module:Class`, that says what must hold for the isolation matrix."""

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
            f"[tool.patchbay] namespace = {namespace!r}: it takes lower-case words, as in "
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
            f"A project can't be called {name!r}: its name begins the name of each of its "
            f"resources, and takes lower-case letters, digits and hyphens, {MAX_NAME} at most."
        )
    return name


def _stage(name: str, table: Any) -> Stage:
    where = f"[tool.patchbay.stages.{name}]"
    if not isinstance(table, dict):
        raise BadProject(f"{where} is no table.")
    _check_keys(where, table, _STAGE_KEYS)
    kind = table.get("kind", name if name in KINDS else "dev")
    if kind not in KINDS:
        raise BadProject(f"{where} kind = {kind!r}: it is one of {', '.join(KINDS)}.")
    account = table.get("account")
    if account is not None and not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise BadProject(f"{where} account = {account!r}: it takes 12 digits, in quotes.")
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
            f"No stage can be called {name!r}: a name takes lower-case letters and digits, "
            f"{MAX_STAGE} at most, and a hyphen only before a digit, as in alice or pr-17."
        )
    return name


def _check_keys(where: str, table: Mapping[str, Any], known: frozenset[str]) -> None:
    for key in table:
        if key not in known:
            raise BadProject(f"{where} has no {key!r}: there are {', '.join(sorted(known))}.")


def _no_project(root: Path) -> str:
    return (
        f"There is no project in {root}: its pyproject.toml would have a [tool.patchbay] section. "
        "Go to a project's folder, or make one: `patchbay new NAME`."
    )
