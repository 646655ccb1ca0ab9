"""A function's asset holds the modules that its handler imports, and nothing else."""

from pathlib import Path

from patchbay.packaging.asset import asset
from tests.patchbay.packaging.trees import names_in, tree

HANDLER = "functions.alerts.handler"


def test_an_asset_holds_no_third_party_package_no_test_and_no_neighbour(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "tree",
        {
            "functions/alerts/handler.py": "import json\nimport boto3\nimport contracts.sensors",
            "functions/alerts/unused.py": "",
            "functions/sensors/handler.py": "",
            "contracts/sensors.py": "",
            "contracts/watering.py": "",
            "tests/functions/test_alerts.py": "",
            "boto3.py": "",
        },
    )
    folder = asset(HANDLER, root, tmp_path / "assets")
    assert names_in(folder) == {"functions/alerts/handler.py", "contracts/sensors.py"}


def test_the_modules_of_the_project_and_the_package_are_next_to_each_other(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "tree",
        {
            "functions/alerts/handler.py": "import patchbay.events.event\nimport climate.dew",
            "climate/dew.py": "",
            "patchbay/events/event.py": "raise ImportError('It is not the installed one.')",
        },
    )
    installed = tree(
        tmp_path / "site-packages",
        {"patchbay/__init__.py": "", "patchbay/events/event.py": "", "climate/dew.py": "1 / 0"},
    )
    folder = asset(HANDLER, root, tmp_path / "assets", installed)
    assert names_in(folder) == {
        "climate/dew.py",
        "functions/alerts/handler.py",
        "patchbay/__init__.py",
        "patchbay/events/event.py",
    }
    assert all((folder / name).read_text() == "" for name in names_in(folder) - {
        "functions/alerts/handler.py"
    })  # fmt: skip


def test_the_asset_of_a_handler_that_only_consumes_holds_nothing_that_publishes(
    tmp_path: Path,
) -> None:
    root = tree(
        tmp_path / "tree",
        {
            "functions/alerts/handler.py": """
                from contracts.sensors import ReadingTaken
                from patchbay.messaging.consuming import consumer

                @consumer
                def handler(reading: ReadingTaken) -> None: ...
                """,
            "contracts/sensors.py": "from patchbay.events.event import Event",
        },
    )
    names = names_in(asset(HANDLER, root, tmp_path / "assets"))
    assert "patchbay/messaging/consuming.py" in names
    assert "patchbay/messaging/publishing.py" not in names
    assert not [name for name in names if name.startswith(("patchbay/constructs", "patchbay/cli"))]


def test_the_same_modules_give_the_same_asset_and_other_modules_another(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"functions/alerts/handler.py": "a = 1"})
    first = asset(HANDLER, root, tmp_path / "assets")
    assert asset(HANDLER, root, tmp_path / "assets") == first
    tree(root, {"functions/alerts/handler.py": "a = 2"})
    second = asset(HANDLER, root, tmp_path / "assets")
    assert second != first
    assert (first / "functions/alerts/handler.py").read_text() == "a = 1"
    assert (second / "functions/alerts/handler.py").read_text() == "a = 2"
    assert len(list((tmp_path / "assets").iterdir())) == 2


def test_an_assets_name_does_not_depend_on_the_projects_folder(tmp_path: Path) -> None:
    files = {"functions/alerts/handler.py": "import contracts.sensors", "contracts/sensors.py": ""}
    first, second = (
        asset(HANDLER, tree(tmp_path / name, files), tmp_path / name / "assets")
        for name in ("here", "elsewhere")
    )
    assert first.parent.name == second.parent.name


def test_a_contract_changes_the_assets_of_its_readers_only(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "tree",
        {
            "functions/alerts/handler.py": "from contracts.sensors import ReadingTaken",
            "functions/notes/handler.py": "from contracts.watering import BedWatered",
            "contracts/sensors.py": "ReadingTaken = 1",
            "contracts/watering.py": "BedWatered = 1",
        },
    )
    handlers = (HANDLER, "functions.notes.handler")
    before = [asset(handler, root, tmp_path / "assets") for handler in handlers]
    tree(root, {"contracts/sensors.py": "ReadingTaken = 2"})
    after = [asset(handler, root, tmp_path / "assets") for handler in handlers]
    assert after[0] != before[0]
    assert after[1] == before[1]
