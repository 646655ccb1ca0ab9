"""Surroundings: what a project's app needs in the local stage besides the cloud.

A project that needs nothing else has no class for it. A project whose app calls a third party, for
instance, runs a stand-in for that here:

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
    """The surroundings by default: none. A project overrides the methods that it needs."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        """The cloud: it is running, and still empty."""

    def started(self) -> AbstractContextManager[Mapping[str, str]]:
        """Start what the app needs besides the cloud, and stop it at the end.

        Yields the settings, by SERVICE.SETTING, with which the app is synthesized.
        """
        return nullcontext({})

    def after_deploy(self) -> None:
        """Run after the app is deployed, for setup that needs it."""

    def troubles(self) -> Sequence[Trouble]:
        """Return the faults of the surroundings, for the console's page "Break things"."""
        return ()

    def actions(self) -> Sequence[Action]:
        """Return further actions for that page, such as sending requests to the app."""
        return ()

    def pages(self) -> Sequence[Page]:
        """Return the project's own pages of the console."""
        return ()


def of_project() -> type[Surroundings]:
    """Return the class that the project names in its pyproject.toml, or else the default.

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
