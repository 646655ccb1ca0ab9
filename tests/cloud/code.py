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

from local.workspace import ROOT

Handler = Callable[[dict[str, Any], Any], Any]

_OURS = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
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


def load(asset: Path, handler: str, environment: Mapping[str, str]) -> Code:
    """Import a handler such as `functions.payments.handler.handler`; raises InitFailed.

    What is loaded stays loaded for as long as the process lives, as in a warm function.
    """
    return _load(asset, handler, tuple(sorted(environment.items())))


@cache
def _load(asset: Path, handler: str, environment: tuple[tuple[str, str], ...]) -> Code:
    module_name, _, function_name = handler.rpartition(".")
    variables = dict(environment)
    outside = _take_out(name for name in sys.modules if name.partition(".")[0] in _OURS)
    try:
        with _surroundings(asset, variables):
            module = importlib.import_module(module_name)
        modules = _take_out(name for name in sys.modules if name.partition(".")[0] in _OURS)
    except ImportError as error:
        reason = f"Unable to import module '{module_name}': {error}"
        raise InitFailed(f"Runtime.ImportModuleError: {reason}") from error
    except Exception as error:
        raise InitFailed(f"{type(error).__name__}: {error}, while loading {handler}") from error
    finally:
        _take_out(name for name in sys.modules if name.partition(".")[0] in _OURS)
        sys.modules.update(outside)
    found = getattr(module, function_name, None)
    if found is None:
        raise InitFailed(
            f"Runtime.HandlerNotFound: Handler '{function_name}' missing on module '{module_name}'"
        )
    return Code(asset, found, modules, variables)


@contextmanager
def entered(code: Code) -> Iterator[None]:
    """Within it, the function's modules and environment are the process's."""
    outside = {name: sys.modules[name] for name in code.modules if name in sys.modules}
    sys.modules.update(code.modules)
    try:
        with _surroundings(code.asset, code.environment):
            yield
    finally:
        for name in code.modules:
            del sys.modules[name]
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


def _take_out(names: Iterator[str]) -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(names)}
