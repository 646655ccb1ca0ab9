"""The files of a new project."""

import json
import keyword
import os
import sys
from pathlib import Path
from unittest.mock import patch

from patchbay.errors import UserError
from patchbay.project.project import check_name
from patchbay.templates import consumer, event, service, wheel
from patchbay.templates.event import Field
from patchbay.templates.naming import Name
from patchbay.templates.render import FILES, SUFFIX, render, tidy

PROJECT = FILES / "project"
EVENT = "RequestReceived"
FIELDS = [Field("request_id", "str"), Field("text", "str")]
PUBLISHER, CONSUMER = Name("requests"), Name("notes")
# The project's own folders and modules.
_IN_USE = {"app", "contracts", "functions", "patchbay", "stacks", "tests"}


def check(name: str) -> str:
    """Return the namespace of a project of that name; raises UserError."""
    check_name(name)
    namespace = name.replace("-", "_")
    if namespace in _IN_USE or keyword.iskeyword(namespace) or namespace in sys.stdlib_module_names:
        raise UserError(
            f"A project can't be called {name!r}: Python or the project already uses it."
        )
    return namespace


def check_folder(folder: Path) -> None:
    """Raise UserError where a new project can't be written there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{folder} exists, and is not an empty folder. Name another one with --directory."
        )


def files(name: str, namespace: str, pinned: Path) -> dict[Path, str | bytes]:
    """Return the content of each file, by its path. `pinned` is Patchbay's wheel."""
    values = {
        "name": name,
        "namespace": namespace,
        "title": name.replace("-", " ").capitalize(),
        "wheel": pinned.name,
        "hash": wheel.sha256(pinned),
        "cdk_version": cdk_version(),
    }
    new: dict[Path, str] = {}
    for file in sorted(PROJECT.rglob(f"*{SUFFIX}")):
        template = str(file.relative_to(FILES)).removesuffix(SUFFIX)
        new[Path(template).relative_to("project")] = render(template, values)
    with patch.dict(os.environ, {"PATCHBAY_NAMESPACE": namespace}):
        contract, received = event.files(EVENT, PUBLISHER.module, FIELDS, namespace)
        new |= contract
        new |= service.files(PUBLISHER, received)
        new |= consumer.files(consumer.Consumer(CONSUMER, [received]))
    written: dict[Path, str | bytes] = {**tidy(new, Path(name))}
    written[Path("vendor", pinned.name)] = pinned.read_bytes()
    return written


def cdk_version() -> str:
    """Return the version of the CDK CLI that this version of Patchbay was tested with."""
    lock = json.loads((PROJECT / f"package-lock.json{SUFFIX}").read_text())
    return str(lock["packages"]["node_modules/aws-cdk"]["version"])
