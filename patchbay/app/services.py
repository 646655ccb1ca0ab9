"""The services of a project: those that the modules of stacks/ define."""

import importlib
import pkgutil
from collections.abc import Sequence

from patchbay.constructs.service import Service
from patchbay.errors import UserError
from patchbay.project.root import ROOT

_STACKS = ROOT / "stacks"
_BROKER = "broker"


class BadService(UserError):
    """A module of stacks/ does not define exactly one service."""


def services() -> list[type[Service]]:
    """Return every service, by name; raises BadService."""
    names = {module.name for module in pkgutil.iter_modules([str(_STACKS)])} - {_BROKER}
    return [_service_in(name) for name in sorted(names)]


def in_order(deployed: Sequence[Service]) -> None:
    """Deploy each service after those whose streams it reads; raises BadService."""
    by_name = {service.service_name(): service for service in deployed}
    for service in deployed:
        for name in sorted(service.reads):
            if name not in by_name:
                raise BadService(
                    f"{service.service_name()} reads the stream of {name}, a service that the "
                    f"stage {service.stage.name} does not have: there are {', '.join(by_name)}."
                )
            service.add_stack_dependency(by_name[name])


def _service_in(name: str) -> type[Service]:
    module = importlib.import_module(f"stacks.{name}")
    found = [
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, Service)
        and member.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise BadService(
            f"stacks/{name}.py defines {len(found)} services: define exactly one in each module."
        )
    return found[0]
