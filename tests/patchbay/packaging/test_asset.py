"""A function's asset holds what its handler imports of ours, and nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from patchbay.packaging.asset import NoSuchModule, asset, imports_of, needed_modules
from patchbay.project.root import ROOT

HANDLER = "functions.loyalty.handler"


def tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "statement",
    [
        "import functions.loyalty.points",
        "import functions.loyalty.points as points",
        "from functions.loyalty import points",
        "from functions.loyalty.points import add, subtract",
        "from .points import add",
        "from . import points",
        "def later() -> None:\n    from functions.loyalty import points",
        "if True:\n    import functions.loyalty.points",
    ],
)
def test_a_module_is_found_however_it_is_imported(statement: str, tmp_path: Path) -> None:
    tree(
        tmp_path,
        {"functions/loyalty/handler.py": statement, "functions/loyalty/points.py": ""},
    )
    assert imports_of(HANDLER, tmp_path) == {"functions.loyalty.points"}


def test_what_is_imported_by_what_is_imported_is_needed_too(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "functions/loyalty/handler.py": "import contracts.orders",
            "contracts/orders.py": "from contracts import event, values",
            "patchbay/events/event.py": "",
            "contracts/values.py": "import patchbay.events.event",
            "contracts/payments.py": "",
        },
    )
    assert needed_modules(HANDLER, tmp_path) == {
        HANDLER,
        "contracts.orders",
        "patchbay.events.event",
        "contracts.values",
    }


def test_modules_may_import_each_other(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "functions/loyalty/handler.py": "import functions.loyalty.points",
            "functions/loyalty/points.py": "import functions.loyalty.handler",
        },
    )
    assert needed_modules(HANDLER, tmp_path) == {HANDLER, "functions.loyalty.points"}


@pytest.mark.parametrize(
    "statement", ["import functions.loyalty.points", "from functions.loyalty.points import add"]
)
def test_a_module_that_is_missing_is_named(statement: str, tmp_path: Path) -> None:
    tree(tmp_path, {"functions/loyalty/handler.py": statement})
    with pytest.raises(NoSuchModule, match=r"There is no functions/loyalty/points\.py"):
        asset(HANDLER, tmp_path, tmp_path / "assets")


def test_a_handler_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchModule, match=r"There is no functions/loyalty/handler\.py"):
        asset(HANDLER, tmp_path, tmp_path / "assets")


def test_an_asset_holds_no_third_party_package_no_test_and_no_neighbour(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "tree",
        {
            "functions/loyalty/handler.py": "import json\nimport boto3\nimport contracts.orders",
            "functions/loyalty/unused.py": "",
            "functions/orders/handler.py": "",
            "contracts/orders.py": "",
            "contracts/payments.py": "",
            "tests/functions/test_loyalty.py": "",
            "boto3.py": "",
        },
    )
    folder = asset(HANDLER, root, tmp_path / "assets")
    assert names_in(folder) == {"functions/loyalty/handler.py", "contracts/orders.py"}


def test_the_same_modules_give_the_same_asset_and_others_another(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"functions/loyalty/handler.py": "a = 1"})
    first = asset(HANDLER, root, tmp_path / "assets")
    assert asset(HANDLER, root, tmp_path / "assets") == first
    tree(root, {"functions/loyalty/handler.py": "a = 2"})
    second = asset(HANDLER, root, tmp_path / "assets")
    assert second != first
    assert (first / "functions/loyalty/handler.py").read_text() == "a = 1"
    assert (second / "functions/loyalty/handler.py").read_text() == "a = 2"
    assert len(list((tmp_path / "assets").iterdir())) == 2


def test_a_contract_changes_the_assets_of_its_readers_only(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "tree",
        {
            "functions/loyalty/handler.py": "from contracts.orders import OrderPlaced",
            "functions/books/handler.py": "from contracts.payments import PaymentTaken",
            "contracts/orders.py": "OrderPlaced = 1",
            "contracts/payments.py": "PaymentTaken = 1",
        },
    )
    handlers = (HANDLER, "functions.books.handler")
    before = [asset(handler, root, tmp_path / "assets") for handler in handlers]
    tree(root, {"contracts/orders.py": "OrderPlaced = 2"})
    after = [asset(handler, root, tmp_path / "assets") for handler in handlers]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_the_shops_functions_carry_only_the_contracts_that_they_use() -> None:
    mailed = needed_modules("functions.notifications.handler")
    assert "contracts.payments" in mailed
    charged = needed_modules("functions.orders.outbox")
    assert "contracts.orders" in charged
    assert "contracts.payments" not in charged
    for handler in ROOT.glob("functions/*/*.py"):
        module = ".".join(handler.relative_to(ROOT).with_suffix("").parts)
        assert not any(name.startswith(("stacks", "tests")) for name in needed_modules(module))
