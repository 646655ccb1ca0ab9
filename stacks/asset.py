"""What a function's asset holds: its handler's module, and just the modules that it imports."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
OUR_PACKAGES = frozenset({"functions", "contracts"})
ASSETS = ROOT / "build" / "assets"


class NoSuchModule(ImportError):
    """A handler, or what it imports of ours, is not where its name says."""


def asset(handler_module: str, root: Path = ROOT, into: Path = ASSETS) -> Path:
    """A folder with the files that `handler_module` needs, laid out as they are in the project.

    Raises NoSuchModule.
    """
    folder = into / handler_module
    shutil.rmtree(folder, ignore_errors=True)
    for module in sorted(needed_modules(handler_module, root)):
        path = _file_of(module, root)
        target = folder / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def needed_modules(module: str, root: Path = ROOT) -> frozenset[str]:
    """The module, and every module of ours that it imports, directly or not."""
    needed: set[str] = set()
    waiting = [module]
    while waiting:
        current = waiting.pop()
        if current not in needed:
            needed.add(current)
            waiting.extend(imports_of(current, root))
    return frozenset(needed)


def imports_of(module: str, root: Path = ROOT) -> frozenset[str]:
    """The modules of ours that a module imports itself, at its top or in a function."""
    path = _file_of(module, root)
    tree = ast.parse(path.read_text(), filename=str(path))
    return frozenset(
        name
        for node in ast.walk(tree)
        for name in _imported(node, root)
        if name.split(".")[0] in OUR_PACKAGES
    )


def _imported(node: ast.AST, root: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        # `from package import module` names a module; `from module import name` does not.
        modules = [f"{node.module}.{alias.name}" for alias in node.names]
        found = [module for module in modules if _path_of(module, root).exists()]
        yield from found
        if len(found) < len(modules):
            yield node.module


def _path_of(module: str, root: Path) -> Path:
    return root.joinpath(*module.split(".")).with_suffix(".py")


def _file_of(module: str, root: Path) -> Path:
    path = _path_of(module, root)
    if not path.is_file():
        raise NoSuchModule(f"There is no {path.relative_to(root)} for the module {module}.")
    return path
