"""What a function's asset holds: its handler's module, and just the modules that it imports."""

import ast
import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from patchbay.errors import UserError
from patchbay.project.root import ROOT

OUR_PACKAGES = frozenset({"functions", "contracts", "patchbay", "demo"})
ASSETS = ROOT / "build" / "assets"


class NoSuchModule(UserError):
    """A handler, or what it imports of ours, is not where its name says."""


def asset(handler_module: str, root: Path = ROOT, into: Path = ASSETS) -> Path:
    """A folder with the files that `handler_module` needs, laid out as they are in the project.

    Raises NoSuchModule.
    """
    paths = sorted(_file_of(module, root) for module in needed_modules(handler_module, root))
    files = {path.relative_to(root): path.read_bytes() for path in paths}
    folder = into / _digest(files) / handler_module
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write(files, folder)
    return folder


def _write(files: Mapping[Path, bytes], folder: Path) -> None:
    """Have these files in the folder, all at once: another synth may be making the same one."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        whole = Path(unfinished, folder.name)
        for path, content in files.items():
            whole.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
            whole.joinpath(path).write_bytes(content)
        with suppress(OSError):  # the other one was faster
            whole.rename(folder)


def _digest(files: Mapping[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in files.items():
        digest.update(f"{path} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:32]


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
        for name in _imported(node, module, root)
        if name.split(".")[0] in OUR_PACKAGES
    )


def _imported(node: ast.AST, importer: str, root: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        origin = _origin(node, importer)
        # `from package import module` names a module; `from module import name` does not.
        modules = [f"{origin}.{alias.name}" for alias in node.names]
        found = [module for module in modules if _path_of(module, root).exists()]
        yield from found
        if len(found) < len(modules):
            yield origin


def _origin(node: ast.ImportFrom, importer: str) -> str:
    """Whence it imports: `from .store import` in functions.orders.api is functions.orders.store."""
    parents = importer.split(".")[: -node.level] if node.level else []
    return ".".join([*parents, *([node.module] if node.module else [])])


def _path_of(module: str, root: Path) -> Path:
    return root.joinpath(*module.split(".")).with_suffix(".py")


def _file_of(module: str, root: Path) -> Path:
    path = _path_of(module, root)
    if not path.is_file():
        raise NoSuchModule(f"There is no {path.relative_to(root)} for the module {module}.")
    return path
