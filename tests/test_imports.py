"""The direction of the shop's imports, and each kind of import against it."""

from pathlib import Path

import pytest

from patchbay.testkit.system_tests.arrows import violations


def test_imports_point_one_way() -> None:
    assert violations() == []


@pytest.mark.parametrize(
    ("module", "statement", "what"),
    [
        (
            "functions/loyalty/handler.py",
            "import patchbay.constructs.service",
            "patchbay.constructs.service",
        ),
        ("functions/loyalty/handler.py", "from stacks import broker", "stacks.broker"),
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
        ("contracts/orders.py", "import functions.orders.api", "functions.orders.api"),
        ("stacks/loyalty.py", "import functions.orders.store", "functions.orders.store"),
        ("stacks/loyalty.py", "from demo import drive", "demo.drive"),
        ("stacks/loyalty.py", "from patchbay.operations import pause", "patchbay.operations.pause"),
        ("contracts/orders.py", "import patchbay.messaging", "patchbay.messaging"),
    ],
)
def test_an_import_against_the_direction_is_found(
    module: str, statement: str, what: str, tmp_path: Path
) -> None:
    path = tmp_path / module
    path.parent.mkdir(parents=True)
    path.write_text(f"{statement}\n")
    (tmp_path / "demo").mkdir()
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
    (tmp_path / "demo").mkdir()
    assert violations(tmp_path) == []
