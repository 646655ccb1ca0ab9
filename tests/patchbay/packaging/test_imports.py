"""The imports of a module: which modules of the project and of the package it needs."""

from pathlib import Path

import pytest

from patchbay.packaging.imports import Import, NoSuchModule, Sources
from tests.patchbay.packaging.trees import tree

HANDLER = "functions.alerts.handler"


def own_imports_of(statement: str, root: Path) -> set[str]:
    files = {"functions/alerts/handler.py": statement, "functions/alerts/limits.py": ""}
    return set(Sources(tree(root, files)).own_imports(HANDLER))


@pytest.mark.parametrize(
    "statement",
    [
        "import functions.alerts.limits",
        "import functions.alerts.limits as limits",
        "from functions.alerts import limits",
        "from functions.alerts.limits import low, high",
        "from .limits import low",
        "from . import limits",
        "def later() -> None:\n    from functions.alerts import limits",
        "if True:\n    import functions.alerts.limits",
        "try:\n    import functions.alerts.limits\nexcept ImportError:\n    pass",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import functions.alerts.limits",
    ],
)
def test_a_module_is_found_however_it_is_imported(statement: str, tmp_path: Path) -> None:
    assert own_imports_of(statement, tmp_path) == {"functions.alerts.limits"}


@pytest.mark.parametrize("condition", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_an_import_for_types_only_is_not_needed(condition: str, tmp_path: Path) -> None:
    statement = f"if {condition}:\n    from functions.alerts import limits"
    assert own_imports_of(statement, tmp_path) == set()


def test_indirect_imports_are_needed_too(tmp_path: Path) -> None:
    sources = Sources(
        tree(
            tmp_path / "project",
            {
                "functions/alerts/handler.py": "import contracts.sensors",
                "contracts/sensors.py": "from contracts import event, values",
                "contracts/event.py": "",
                "contracts/values.py": "import patchbay.events.event",
                "contracts/watering.py": "",
            },
        ),
        tree(tmp_path / "installed", {"patchbay/events/event.py": ""}),
    )
    assert sources.needed(HANDLER) == {
        HANDLER,
        "contracts.sensors",
        "contracts.event",
        "contracts.values",
        "patchbay.events.event",
    }


def test_modules_may_import_each_other(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "functions/alerts/handler.py": "import functions.alerts.limits",
            "functions/alerts/limits.py": "import functions.alerts.handler",
        },
    )
    assert Sources(tmp_path).needed(HANDLER) == {HANDLER, "functions.alerts.limits"}


def test_the_packages_of_a_module_are_needed_with_what_they_import(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "functions/__init__.py": "",
            "functions/alerts/__init__.py": "from . import units",
            "functions/alerts/handler.py": "",
            "functions/alerts/units.py": "",
        },
    )
    assert Sources(tmp_path).needed(HANDLER) == {
        "functions",
        "functions.alerts",
        "functions.alerts.units",
        HANDLER,
    }


LAZY = {
    "patchbay/__init__.py": "",
    "patchbay/messaging/__init__.py": """
        from typing import TYPE_CHECKING, Any

        if TYPE_CHECKING:
            from patchbay.messaging.consuming import Reject as Reject
            from patchbay.messaging.consuming import consumer as consumer
            from .publishing import publish as publish

        __version__ = "1"


        def __getattr__(name: str) -> Any: ...
        """,
    "patchbay/messaging/consuming.py": "from patchbay.messaging import telemetry",
    "patchbay/messaging/publishing.py": "",
    "patchbay/messaging/telemetry.py": "",
}


@pytest.mark.parametrize(
    ("statement", "modules"),
    [
        ("from patchbay.messaging import consumer", {"consuming", "telemetry"}),
        ("from patchbay.messaging import consumer, Reject", {"consuming", "telemetry"}),
        ("from patchbay.messaging import publish", {"publishing"}),
        ("from patchbay.messaging import telemetry", {"telemetry"}),
        ("from patchbay.messaging import __version__", set()),
        ("from patchbay import messaging", {"consuming", "publishing", "telemetry"}),
        ("import patchbay.messaging", {"consuming", "publishing", "telemetry"}),
        ("from patchbay.messaging import *", {"consuming", "publishing", "telemetry"}),
    ],
)
def test_a_name_of_a_package_is_imported_from_the_module_that_defines_it(
    statement: str, modules: set[str], tmp_path: Path
) -> None:
    sources = Sources(
        tree(tmp_path / "project", {"functions/alerts/handler.py": statement}),
        tree(tmp_path / "installed", LAZY),
    )
    assert sources.needed(HANDLER) == {
        HANDLER,
        "patchbay",
        "patchbay.messaging",
        *(f"patchbay.messaging.{module}" for module in modules),
    }


@pytest.mark.parametrize(
    "statement", ["import functions.alerts.limits", "from functions.alerts.limits import low"]
)
def test_a_module_that_is_missing_is_named(statement: str, tmp_path: Path) -> None:
    tree(tmp_path, {"functions/alerts/handler.py": statement})
    with pytest.raises(NoSuchModule, match=r"There is no functions/alerts/limits\.py"):
        Sources(tmp_path).needed(HANDLER)


def test_a_handler_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchModule, match=r"There is no functions/alerts/handler\.py"):
        Sources(tmp_path).needed(HANDLER)


@pytest.mark.parametrize(
    ("statement", "optional"),
    [
        ("import orjson", False),
        ("try:\n    import orjson\nexcept ImportError:\n    orjson = None", True),
        ("try:\n    import orjson\nexcept (KeyError, ModuleNotFoundError):\n    pass", True),
        ("with suppress(ImportError):\n    import orjson", True),
        ("try:\n    import orjson\nexcept ValueError:\n    pass", False),
        ("try:\n    pass\nexcept ImportError:\n    import orjson", False),
        ("try:\n    import orjson\nfinally:\n    pass", False),
        ("with suppress(ValueError):\n    import orjson", False),
    ],
)
def test_an_import_is_optional_where_its_failure_is_handled(
    statement: str, optional: bool, tmp_path: Path
) -> None:
    tree(tmp_path, {"functions/alerts/handler.py": statement})
    assert Sources(tmp_path).imports(HANDLER) == {Import("orjson", optional)}
