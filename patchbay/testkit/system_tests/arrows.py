"""A test of the direction of imports: functions and stacks import contracts, not each other.

A function that imports a stack or another service's code can't be changed, deployed or removed
separately.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from patchbay.project.root import ROOT

# The imports from the project and from Patchbay that are allowed in each folder, besides its own.
ALLOWED: Mapping[str, Sequence[str]] = {
    "contracts": ("contracts", "patchbay.events"),
    "functions": ("contracts", "patchbay.events", "patchbay.messaging"),
    "stacks": (
        "contracts",
        "stacks",
        "patchbay.app",
        "patchbay.constructs",
        "patchbay.errors",
        "patchbay.events",
        "patchbay.project",
        "patchbay.topology",
    ),
}


def imported(path: Path, root: Path) -> Iterator[str]:
    """Yield the full name of each import in a module, at its top or anywhere in it."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def violations(root: Path = ROOT) -> list[str]:
    """Return a sentence for each import of a project in the wrong direction."""
    own = {path.stem for path in root.iterdir() if path.is_dir() or path.suffix == ".py"}
    found = []
    for folder, allowed in ALLOWED.items():
        for path in sorted((root / folder).rglob("*.py")):
            package = ".".join(path.relative_to(root).parent.parts)
            may = (*allowed, package) if package != "functions" else allowed
            found += [
                f"{path.relative_to(root)} imports {name}"
                for name in imported(path, root)
                if name.split(".")[0] in own | {"patchbay", *ALLOWED}
                and not any(f"{name}.".startswith(f"{prefix}.") for prefix in may)
            ]
    return found


def test_imports_point_one_way() -> None:
    """Assert that functions import no stack and no other service, and contracts neither."""
    found = violations()
    assert not found, "\n".join(found)
