"""Event-driven systems on AWS: built, tested before they are deployed, run, and operated."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__version__ = "1.0.0"


def load_on_use(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package that loads each name from its module on first use.

    It is here, since this module is loaded in any case: a module of its own would add to every cold
    start.
    """

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return load
