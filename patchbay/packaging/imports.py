"""Imports of a module, read from its source: none of its code runs.

Imports in a function count, since the function may be called; those under `if TYPE_CHECKING:` do
not, since they never run. `from package import name` counts as an import of the one module that
defines the name, where the package's `__init__.py` declares it:

    if TYPE_CHECKING:
        from patchbay.messaging.consuming import consumer as consumer
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import patchbay
from patchbay.errors import UserError
from patchbay.project.root import ROOT

LIBRARY = "patchbay"
INSTALLED = Path(patchbay.__file__).parent.parent
"""The folder that holds the package `patchbay`: site-packages, where it is installed."""

# Folders that hold modules which are not the project's own.
_NOT_SOURCES = frozenset({"build", "node_modules"})


class NoSuchModule(UserError):
    """A handler, or a module of the project that it imports, does not exist."""


@dataclass(frozen=True)
class Import:
    """An imported module, and whether the importer works without it."""

    module: str
    optional: bool = False
    """True if the importer handles ImportError."""


@dataclass(frozen=True)
class Sources:
    """The modules that assets are built from: the project's and the package's."""

    root: Path = ROOT
    """The folder of the project."""

    installed: Path = INSTALLED

    def home_of(self, module: str) -> Path:
        """Return the folder from which a module is imported."""
        return self.installed if _top(module) == LIBRARY else self.root

    def find(self, module: str) -> Path | None:
        """Return the file of a module or a package; None where there is none."""
        path = self.home_of(module).joinpath(*module.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
        return None

    def file_of(self, module: str) -> Path:
        """Return the file of a module or a package; raises NoSuchModule."""
        if file := self.find(module):
            return file
        path = Path(*module.split(".")).with_suffix(".py")
        raise NoSuchModule(f"There is no {path} for the module {module}.")

    def place_of(self, module: str) -> Path:
        """Return the path of a module's file in an asset."""
        return self.file_of(module).relative_to(self.home_of(module))

    def has(self, module: str) -> bool:
        """Return whether a module is the project's or the package's, not a third party's."""
        return _top(module) in self._own

    @cached_property
    def _own(self) -> frozenset[str]:
        """Return the package, and every folder of the project that holds Python files."""
        folders = (
            path.name
            for path in self.root.iterdir()
            if path.is_dir() and path.name.isidentifier() and path.name not in _NOT_SOURCES
        )
        holding = (name for name in folders if next(self.root.joinpath(name).rglob("*.py"), None))
        return frozenset({LIBRARY, *holding})

    def needed(self, module: str) -> frozenset[str]:
        """Return the module and every own module that it imports, directly or not.

        Importing a module runs the `__init__.py` of each package that it is in, so these are
        included. Raises NoSuchModule.
        """
        needed: set[str] = set()
        waiting = [module]
        while waiting:
            current = waiting.pop()
            if current not in needed:
                needed.add(current)
                waiting += [name for name in _packages(current) if self._is_package(name)]
                waiting += self.own_imports(current)
        return frozenset(needed)

    def own_imports(self, module: str) -> frozenset[str]:
        """Return the modules of the project and the package that a module imports itself."""
        return frozenset(each.module for each in self.imports(module) if self.has(each.module))

    def imports(self, module: str) -> frozenset[Import]:
        """Return every module that a module imports itself, at its top or in a function."""
        tree = parsed(self.file_of(module).read_text())
        return frozenset(
            Import(name, optional)
            for node, optional in _import_statements(tree)
            for name in self._imported(node, module)
        )

    def _imported(self, node: ast.Import | ast.ImportFrom, importer: str) -> Iterator[str]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from (alias.name, *self._exports(alias.name).values())
            return
        origin = self._origin(node, importer)
        exports = self._exports(origin)
        for alias in node.names:
            if alias.name == "*":
                yield from (origin, *exports.values())
            elif self.find(module := f"{origin}.{alias.name}"):
                yield from (module, *self._exports(module).values())
            else:
                yield exports.get(alias.name, origin)

    def _exports(self, package: str) -> Mapping[str, str]:
        """Return the module that defines each name that a package re-exports lazily."""
        if not (self.has(package) and self._is_package(package)):
            return {}
        tree = parsed(self.file_of(package).read_text())
        return {
            alias.asname or alias.name: self._origin(node, package)
            for node in _type_checking(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def _is_package(self, module: str) -> bool:
        file = self.find(module)
        return file is not None and file.name == "__init__.py"

    def _origin(self, node: ast.ImportFrom, importer: str) -> str:
        """Return the full name: `.store` in functions.notes.api is functions.notes.store."""
        parts = importer.split(".")
        up = node.level - self._is_package(importer)
        parents = (parts[:-up] if up else parts) if node.level else []
        return ".".join([*parents, *([node.module] if node.module else [])])


@lru_cache(maxsize=512)
def parsed(source: str) -> ast.Module:
    """Parse a module, once for all the assets that hold it."""
    return ast.parse(source)


def _import_statements(
    node: ast.AST, optional: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Yield each import that may run, and whether its failure is handled."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, optional
        return
    children: list[tuple[ast.AST, bool]]
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        children = [(child, optional) for child in node.orelse]
    elif isinstance(node, ast.Try):
        handled = optional or any(_names_import_error(each.type) for each in node.handlers)
        others = [*node.handlers, *node.orelse, *node.finalbody]
        children = [(child, handled) for child in node.body]
        children += [(child, optional) for child in others]
    elif isinstance(node, ast.With):
        handled = optional or any(_suppresses_import_error(item) for item in node.items)
        children = [(child, handled) for child in node.body]
    else:
        children = [(child, optional) for child in ast.iter_child_nodes(node)]
    for child, its_optional in children:
        yield from _import_statements(child, its_optional)


def _type_checking(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            yield from node.body


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _suppresses_import_error(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("suppress", "contextlib.suppress")
        and any(map(_names_import_error, call.args))
    )


def _names_import_error(kinds: ast.expr | None) -> bool:
    names = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    return any(
        isinstance(name, ast.Name) and name.id in ("ImportError", "ModuleNotFoundError")
        for name in names
    )


def _packages(module: str) -> list[str]:
    """Return the packages that a module is in: a and a.b, for a.b.c."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _top(module: str) -> str:
    return module.partition(".")[0]
