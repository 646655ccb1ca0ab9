"""Dependencies point one way: functions and stacks know the contracts, and the contracts nobody."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
SHARED = "patchbay.messaging"
# What a module of each folder may import of ours; folders that are not here may import all.
ALLOWED = {
    "contracts": ("contracts",),
    "functions": ("contracts", SHARED),  # and its own folder
    "stacks": ("contracts", "stacks"),
}


def imported(path: Path, root: Path) -> Iterator[str]:
    """All that a module imports of ours, at its top or anywhere in it."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in OURS)


def violations(root: Path) -> list[str]:
    """Every import that goes against the direction, a sentence each."""
    found = []
    for folder, allowed in ALLOWED.items():
        for path in sorted((root / folder).rglob("*.py")):
            package = ".".join(path.relative_to(root).parent.parts)
            # What all share may know none of them.
            may = allowed if package == SHARED else (*allowed, package)
            found += [
                f"{path.relative_to(root)} imports {name}"
                for name in imported(path, root)
                if not any(f"{name}.".startswith(f"{prefix}.") for prefix in may)
            ]
    return found


def test_dependencies_point_one_way() -> None:
    assert violations(ROOT) == []


def test_the_check_sees_every_folder() -> None:
    for folder in ALLOWED:
        assert list((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(
    ("module", "statement", "what"),
    [
        (
            "functions/loyalty/handler.py",
            "import patchbay.constructs.service",
            "patchbay.constructs.service",
        ),
        ("functions/loyalty/handler.py", "from stacks import stage", "patchbay.constructs.stage"),
        ("functions/loyalty/handler.py", "from functions import orders", "functions.orders"),
        (
            "functions/loyalty/handler.py",
            "from functions.orders.store import Order",
            "functions.orders.store.Order",
        ),
        ("functions/loyalty/handler.py", "from ..orders import store", "functions.orders.store"),
        (
            "functions/loyalty/handler.py",
            "def later() -> None:\n    import demo.drive",
            "demo.drive",
        ),
        (
            "functions/loyalty/handler.py",
            "import functions.loyalty_points.handler",
            "functions.loyalty_points.handler",
        ),
        (
            "patchbay/messaging/publishing.py",
            "import functions.orders.store",
            "functions.orders.store",
        ),
        ("contracts/orders.py", "import functions.orders.api", "functions.orders.api"),
        ("stacks/loyalty.py", "import functions.orders.store", "functions.orders.store"),
        ("stacks/loyalty.py", "from local import drive", "demo.drive"),
    ],
)
def test_an_import_against_the_direction_is_found(
    module: str, statement: str, what: str, tmp_path: Path
) -> None:
    path = tmp_path / module
    path.parent.mkdir(parents=True)
    path.write_text(f"{statement}\n")
    assert violations(tmp_path) == [f"{module} imports {what}"]


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("functions/loyalty/handler.py", "from contracts.orders import OrderPlaced"),
        ("functions/loyalty/handler.py", "from patchbay.messaging.consuming import consumer"),
        ("functions/loyalty/handler.py", "from functions.loyalty.points import Points"),
        ("functions/loyalty/handler.py", "from .points import Points"),
        ("functions/loyalty/handler.py", "import boto3"),
        ("stacks/loyalty.py", "from patchbay.constructs.service import Service"),
        ("stacks/loyalty.py", "from contracts.orders import OrderPlaced"),
    ],
)
def test_an_import_in_the_direction_is_fine(module: str, statement: str, tmp_path: Path) -> None:
    path = tmp_path / module
    path.parent.mkdir(parents=True)
    path.write_text(f"{statement}\n")
    assert violations(tmp_path) == []
