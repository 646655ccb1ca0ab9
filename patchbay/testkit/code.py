"""A function's code as Lambda loads it: from its asset alone, under its own environment.

Each function gets its own copies of the modules in its asset, and sees nothing else of the
project: what the asset lacks can't be imported, as on AWS. Libraries are shared.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from patchbay.project.root import ROOT


def _top_level(folder: Path) -> set[str]:
    """The names under which a folder's modules and packages are imported."""
    return {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"}


_OURS = _top_level(ROOT)
Handler = Callable[[dict[str, Any], Any], Any]

_MACHINE = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}


class InitFailed(Exception):
    """The function does not start; its text is what Lambda logs."""


@dataclass(frozen=True)
class Code:
    """What was loaded for one function."""

    asset: Path
    handler: Handler
    modules: dict[str, ModuleType]
    environment: Mapping[str, str]
    own: frozenset[str]
    """What else in the process goes by the names of the project's and the asset's modules."""


def load(asset: Path, handler: str, environment: Mapping[str, str]) -> Code:
    """Import a handler such as `functions.payments.handler.handler`; raises InitFailed.

    What is loaded stays loaded for as long as the process lives, as in a warm function.
    """
    return _load(asset, handler, tuple(sorted(environment.items())))


@cache
def _load(asset: Path, handler: str, environment: tuple[tuple[str, str], ...]) -> Code:
    module_name, _, function_name = handler.rpartition(".")
    variables = dict(environment)
    own = frozenset(_OURS | _top_level(asset))
    outside = _take_out(own)
    try:
        with _surroundings(asset, variables):
            module = importlib.import_module(module_name)
        modules = _take_out(own)
    except ImportError as error:
        reason = f"Unable to import module '{module_name}': {error}"
        raise InitFailed(f"Runtime.ImportModuleError: {reason}") from error
    except Exception as error:
        raise InitFailed(f"{type(error).__name__}: {error}, while loading {handler}") from error
    finally:
        _take_out(own)
        sys.modules.update(outside)
    found = getattr(module, function_name, None)
    if found is None:
        raise InitFailed(
            f"Runtime.HandlerNotFound: Handler '{function_name}' missing on module '{module_name}'"
        )
    return Code(asset, found, modules, variables, own)


@contextmanager
def entered(code: Code) -> Iterator[None]:
    """Within it, the function's modules and environment are the process's."""
    outside = _take_out(code.own)
    sys.modules.update(code.modules)
    try:
        with _surroundings(code.asset, code.environment):
            yield
    finally:
        code.modules.update(_take_out(code.own))
        sys.modules.update(outside)


@contextmanager
def _surroundings(asset: Path, environment: Mapping[str, str]) -> Iterator[None]:
    path, variables = sys.path[:], dict(os.environ)
    sys.path[:] = [str(asset), *(each for each in path if each and Path(each) != ROOT)]
    _set_environment({**_MACHINE, **environment})
    try:
        yield
    finally:
        sys.path[:] = path
        _set_environment(variables)


def _set_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def _take_out(top_level: frozenset[str]) -> dict[str, ModuleType]:
    """Have the process forget these modules, and all that are in them; returns them."""
    beginnings = tuple(top_level)  # rules most out at once: this runs for every invocation
    near = [name for name in sys.modules if name.startswith(beginnings)]
    names = [name for name in near if name.partition(".")[0] in top_level]
    return {name: sys.modules.pop(name) for name in names}
