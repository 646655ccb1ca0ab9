"""The loader of a function's code, from its asset and layers, with its own environment.

Each function has its own copies of the modules in its asset, and can import nothing else of the
project, as on AWS. Libraries are shared; one that the tests' environment lacks is taken from the
layer.

A module is compiled under the path of the project's own file if that has the same content, so that
an editor's breakpoints work.
"""

import _imp
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from patchbay.project.root import ROOT
from patchbay.testkit.running.output import LOG
from patchbay.testkit.running.sources import project_file

PACKAGE = "patchbay"  # an asset holds only the parts that its handler imports


def _top_level(folder: Path) -> frozenset[str]:
    """Return the names of a folder's modules and packages."""
    if not folder.is_dir():
        return frozenset()
    paths = folder.iterdir()
    return frozenset(path.stem for path in paths if path.is_dir() or path.suffix == ".py")


_OURS = _top_level(ROOT) | {PACKAGE}
Handler = Callable[[dict[str, Any], Any], Any]

_KEPT = ("PATH", "HOME", "TMPDIR", "TERM", "PYTHONBREAKPOINT")
_MACHINE = {name: os.environ[name] for name in _KEPT if name in os.environ}


class InitFailed(Exception):
    """The function does not start. The message is Lambda's log line."""


@dataclass(frozen=True)
class Code:
    """The loaded code of one function."""

    folders: tuple[Path, ...]
    """Its asset and its layers."""
    handler: Handler
    modules: dict[str, ModuleType]
    environment: Mapping[str, str]
    own: frozenset[str]
    """The top-level names of the project's and the asset's modules."""
    log_level: list[int] = field(default_factory=lambda: [logging.WARNING])
    """The level of the root logger, which functions often set."""


def load(
    asset: Path, handler: str, environment: Mapping[str, str], layers: Sequence[Path] = ()
) -> Code:
    """Import a handler such as `functions.watering.handler.handler`. Raise InitFailed.

    The code stays loaded until the process ends, as in a warm function.
    """
    return _load(asset, handler, tuple(sorted(environment.items())), tuple(layers))


@cache
def _load(
    asset: Path, handler: str, environment: tuple[tuple[str, str], ...], layers: tuple[Path, ...]
) -> Code:
    module_name, _, function_name = handler.rpartition(".")
    module_name = module_name.replace("/", ".")
    variables = dict(environment)
    missing = frozenset().union(*map(_missing_here, layers)) - _top_level(asset)
    own = _OURS | _top_level(asset) | missing
    folders, log_level = (asset, *layers), [logging.WARNING]
    outside = _take_out(own)
    try:
        with _surroundings(folders, own, variables, log_level):
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
    return Code(folders, found, modules, variables, own, log_level)


@cache
def _missing_here(layer: Path) -> frozenset[str]:
    """Return the modules of a layer that the tests' environment lacks."""
    names = {name for name in _top_level(layer) if name.isidentifier()}
    found = _libraries(sys.path)
    return frozenset(each for each in names if PathFinder.find_spec(each, found) is None)


@contextmanager
def entered(code: Code) -> Iterator[None]:
    """Run the block with the function's modules and environment."""
    outside = _take_out(code.own)
    sys.modules.update(code.modules)
    try:
        with _surroundings(code.folders, code.own, code.environment, code.log_level):
            yield
    finally:
        code.modules.update(_take_out(code.own))
        sys.modules.update(outside)


@contextmanager
def _surroundings(
    folders: Sequence[Path],
    own: frozenset[str],
    environment: Mapping[str, str],
    log_level: list[int],
) -> Iterator[None]:
    path, variables = sys.path[:], dict(os.environ)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    finder = _Finder(folders, own)
    sys.path[:] = [str(folders[0]), *_libraries(path), *map(str, folders[1:])]
    sys.meta_path.insert(0, finder)
    # pytest's handlers would format each record and keep it for the report.
    root.handlers = [_LAMBDA_LOG]
    _set_level(root, log_level[0])
    _set_environment({**_MACHINE, **environment})
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.path[:] = path
        log_level[0] = root.level
        root.handlers = handlers
        _set_level(root, level)
        _set_environment(variables)


def _libraries(path: Sequence[str]) -> list[str]:
    """Return the folders of a path that hold libraries, without those of the project."""
    return [each for each in path if each and not _is_the_projects(each)]


@cache
def _is_the_projects(folder: str) -> bool:
    path = Path(folder)
    if any(path.is_relative_to(each) for each in (sys.prefix, sys.base_prefix)):
        return False
    return path.is_relative_to(ROOT) or path.is_relative_to(Path.cwd())


class _Finder:
    """A finder of the modules in a function's asset, which hides modules of the same names."""

    def __init__(self, folders: Sequence[Path], own: frozenset[str]) -> None:
        self._folders = [str(folder) for folder in folders]
        self._own = own

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = name.partition(".")[0]
        if top not in self._own:
            return None
        where = self._folders if path is None else list(path)
        spec = PathFinder.find_spec(name, where, target)
        if spec is None:
            if top == PACKAGE and path is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return None
        if spec.submodule_search_locations is not None and spec.origin is None:
            # A namespace package, whose path must not grow.
            whole = ModuleSpec(name, None, is_package=True)
            whole.submodule_search_locations = list(spec.submodule_search_locations)
            return whole
        if type(spec.loader) is SourceFileLoader:
            spec.loader = _ProjectsSource(spec.loader.name, spec.loader.path, self._folders[0])
        return spec


class _ProjectsSource(SourceFileLoader):
    """A loader that compiles a module under the path of the project's file of the same content."""

    def __init__(self, name: str, path: str, asset: str) -> None:
        super().__init__(name, path)
        self._asset = asset

    def get_code(self, fullname: str) -> CodeType | None:
        code = super().get_code(fullname)
        source = project_file(Path(self._asset), Path(self.path))
        if code is not None and source is not None:
            _imp._fix_co_filename(code, str(source))  # type: ignore[attr-defined]
        return code


class _LambdaLog(logging.Handler):
    """Lambda's handler of the root logger, which writes to the function's log."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = f"[{record.levelname}]\t{self.format(record)}"
        except Exception:  # noqa: BLE001 - the convention of logging handlers
            self.handleError(record)
        else:
            LOG.write(text.replace("\n", "\r") + "\n")


_LAMBDA_LOG = _LambdaLog()


def _set_level(logger: logging.Logger, level: int) -> None:
    if logger.level != level:  # setting it has every logger work its own out anew
        logger.setLevel(level)


def _set_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def _take_out(top_level: frozenset[str]) -> dict[str, ModuleType]:
    """Remove these modules and their submodules from the process, and return them."""
    names = [name for name in sys.modules if _TOP_LEVELS[name] in top_level]
    return {name: sys.modules.pop(name) for name in names}


class _TopLevels(dict[str, str]):
    """The top-level package of each module's name, kept: every invocation asks for all of them."""

    def __missing__(self, name: str) -> str:
        self[name] = name.partition(".")[0]
        return self[name]


_TOP_LEVELS = _TopLevels()
