"""The part of the local stage that only the project knows: what its app needs around it.

A project that needs nothing more than the cloud itself has no class for it. One whose app calls a
third party, for instance, runs a stand-in for it here:

    # pyproject.toml
    [tool.patchbay]
    local = "demo.surroundings:Surroundings"

    # demo/surroundings.py
    class Surroundings(patchbay.local.surroundings.Surroundings):
        @contextmanager
        def started(self) -> Iterator[Mapping[str, str]]:
            with weather_station(self.cloud) as address:
                yield {"sensors.weather_station": address}
"""

import importlib
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from patchbay.console.additions import Action, Page, Trouble
from patchbay.errors import UserError
from patchbay.local.cloud import LocalCloud
from patchbay.project.project import project
from patchbay.project.root import ROOT

OPTION = "pyproject.toml: [tool.patchbay] local"


class Surroundings:
    """Adds nothing: a project overrides the methods that it needs."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        """It runs already, and is still empty."""

    def started(self) -> AbstractContextManager[Mapping[str, str]]:
        """Start what the app needs around it, and stop it in the end.

        Gives the settings, by SERVICE.SETTING, that the app is synthesized with.
        """
        return nullcontext({})

    def after_deploy(self) -> None:
        """Do what remains to be done once the app is deployed."""

    def troubles(self) -> Sequence[Trouble]:
        """Return what can be broken around the app, for the console's page "Break things"."""
        return ()

    def actions(self) -> Sequence[Action]:
        """Return what can be done there besides, such as sending the app requests."""
        return ()

    def pages(self) -> Sequence[Page]:
        """Return the project's own pages of the console."""
        return ()


def of_project() -> type[Surroundings]:
    """Return the class that the project names in its pyproject.toml, or the one that adds nothing.

    Raises UserError where there is no such class.
    """
    name = project().local
    return Surroundings if name is None else _load(name)


def _load(name: str) -> type[Surroundings]:
    module, _, attribute = name.partition(":")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, ValueError, AttributeError) as error:
        raise UserError(
            f'{OPTION} = "{name}" can\'t be imported: {error}. '
            'It must be "module:Class", as in "demo.surroundings:Surroundings".'
        ) from error
    if not (isinstance(found, type) and issubclass(found, Surroundings)):
        raise UserError(
            f'{OPTION} = "{name}" must be a subclass of '
            f"{Surroundings.__module__}.{Surroundings.__name__}."
        )
    return found
