"""`patchbay add`: the files that it writes, and its refusals before it writes any."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from patchbay.cli.__main__ import main
from patchbay.cli.develop import add
from patchbay.templates.writing import write

CONSUMER = ["add", "consumer"]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a project that the scaffold looks at."""
    for name in (
        "functions/sensors/status.py",
        "functions/sensors/api.py",
        "stacks/sensors.py",
        "stacks/reports.py",
        "tests/functions/test_audit.py",
        "functions/gone/__pycache__/handler.cpython-311.pyc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.setattr(add, "ROOT", tmp_path)
    return tmp_path


def all_in(tree: Path) -> set[Path]:
    return set(tree.rglob("*"))


def new_files(tree: Path, before: set[Path]) -> set[str]:
    return {str(path.relative_to(tree)) for path in all_in(tree) - before if path.is_file()}


def test_a_consumer_is_three_files_and_the_next_steps_are_printed(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = all_in(tree)
    assert main([*CONSUMER, "feeding", "--on", "ReadingTaken"]) == 0
    output = capsys.readouterr()
    names = {
        "functions/feeding/handler.py",
        "stacks/feeding.py",
        "tests/functions/test_feeding.py",
    }
    assert new_files(tree, before) == names
    for name in names:
        assert f"wrote {name}\n" in output.out
    assert "make test" in output.out
    assert "make local" in output.out
    assert output.err == ""


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (
            ["event", "LampSwitched", "--field", "lamp_id", "--field", "lux:int"],
            {
                "contracts/lamps.py",
                "contracts/schemas/NAMESPACE.lamps.LampSwitched.v1.json",
                "tests/contracts/test_lamps.py",
            },
        ),
        (
            ["service", "sprinklers", "--publishes", "BedWatered"],
            {
                "functions/sprinklers/api.py",
                "functions/sprinklers/store.py",
                "functions/sprinklers/outbox.py",
                "stacks/sprinklers.py",
                "tests/functions/test_sprinklers.py",
            },
        ),
        (
            ["schedule", "nightly", "--every", "cron(0 3 * * ? *)"],
            {"functions/nightly/run.py", "stacks/nightly.py", "tests/functions/test_nightly.py"},
        ),
        (
            ["schedule", "sirens", "--every", "rate(5 minutes)", "--publishes", "AlertRaised"],
            {"functions/sirens/run.py", "stacks/sirens.py", "tests/functions/test_sirens.py"},
        ),
        (
            [
                "consumer", "sirens", "--on", "ReadingTaken", "--where", "celsius>=30",
                "--ordered-by", "sensor_id", "--publishes", "AlertRaised",
            ],
            {"functions/sirens/handler.py", "stacks/sirens.py", "tests/functions/test_sirens.py"},
        ),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)  # fmt: skip
def test_each_is_new_files_only_and_tidy_python(
    arguments: list[str], names: set[str], tree: Path
) -> None:
    before = all_in(tree)
    assert main(["add", *arguments]) == 0
    from patchbay.project.project import project

    expected = {name.replace("NAMESPACE", project().namespace) for name in names}
    assert new_files(tree, before) == expected
    python = [name for name in expected if name.endswith(".py")]
    for name in python:
        ast.parse((tree / name).read_text())
    isort = 'lint.isort.known-first-party = ["contracts", "functions", "stacks", "tests"]'
    for command in (
        ["check", "--select", "E,F,I,ERA,PT,RET,RUF,SIM,UP,W,D100,D101", "--config", isort],
        ["format", "--check"],
    ):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache",
             "--config", "line-length = 100", *python],
            cwd=tree, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("name", "on", "reason"),
    [
        ("", "ReadingTaken", "usage: make consumer NAME=alerts ON=ReadingTaken"),
        ("feeding", "", "usage: make consumer NAME=alerts ON=ReadingTaken"),
        ("feeding", " , ", "usage: make consumer NAME=alerts ON=ReadingTaken"),
        ("Feeding", "ReadingTaken", "'Feeding' can't be a service's name: use lower-case"),
        ("2fast", "ReadingTaken", "'2fast' can't be a service's name: use lower-case"),
        ("feeding.fish", "ReadingTaken", "can't be a service's name: use lower-case"),
        ("../feeding", "ReadingTaken", "can't be a service's name: use lower-case"),
        ("feeding--fish", "ReadingTaken", "can't be a service's name: use lower-case"),
        ("fütter", "ReadingTaken", "can't be a service's name: use lower-case"),
        ("feeding\nx", "ReadingTaken", "can't be a service's name: use lower-case"),
        ("class", "ReadingTaken", "it is a keyword of Python"),
        ("none", "ReadingTaken", "it is a keyword of Python"),
        ("service", "ReadingTaken", "its class would be called Service"),
        ("reading-taken", "ReadingTaken", "its class would be called ReadingTaken"),
        ("warning", "ReadingTaken", "its class would be called Warning"),
        ("sensors", "ReadingTaken", "'sensors' is taken: there is a functions/sensors"),
        ("reports", "ReadingTaken", "'reports' is taken: there is a stacks/reports.py"),
        ("audit", "ReadingTaken", "'audit' is taken: there is a tests/functions/test_audit.py"),
        ("broker", "ReadingTaken", "'broker' is taken: there is a stack broker"),
        ("sensors-status", "ReadingTaken", "is taken: AWS resources of sensors have it"),
        ("x-dead-letters", "ReadingTaken", "those ending in 'dead-letters' are for the queues"),
        ("undelivered", "ReadingTaken", "those ending in 'undelivered' are for the queues"),
        ("a" * 60, "ReadingTaken", "is too long: use "),
        ("feeding", "ReadingTakn", "no event 'ReadingTakn'. Did you mean 'ReadingTaken'?"),
        ("feeding", "ReadingTaken,bedwatered", "Did you mean 'BedWatered'?"),
        ("feeding", "Xyz", "There is no event 'Xyz'. The events are: "),
    ],
)
def test_an_invalid_name_is_refused_in_one_line(
    name: str, on: str, reason: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _refuses([*CONSUMER, "--on", on, "--", name], reason, tree, capsys)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["event", "lamp"], "'lamp' can't be an event's name"),
        (["event", "Lamp"], "'Lamp' can't be an event's name"),
        (["event", "UserWarning"], "'UserWarning' can't be an event's name"),
        (["event", "ReadingTaken"], "There is an event 'ReadingTaken' already."),
        (["event", "LampSwitched", "--field", "Lux"], "'Lux' can't be a field's name"),
        (["event", "LampSwitched", "--field", "class"], "'class' can't be a field's name"),
        (["event", "LampSwitched", "--field", "json"], "'json' can't be a field's name"),
        (["event", "LampSwitched", "--field", "lux:double"], "there is no type 'double'"),
        (["event", "LampSwitched", "--service", "La mp"], "'La mp' can't be a service's name"),
        (["service", "lamps"], "usage: make service NAME=sensors PUBLISHES=ReadingTaken"),
        (["service", "lamps", "--publishes", "ReadingTaken"], "lamps can't publish it"),
        (["schedule", "nightly"], "usage: make schedule NAME=nightly"),
        (["schedule", "nightly", "--every", "3 o'clock"], "is not a schedule: write cron("),
        (["schedule", "nightly", "--every", "cron(0 3 * *)"], "is not a schedule: write cron("),
        (["schedule", "nightly", "--every", "rate(5_minutes)"], "is not a schedule: write cron("),
        (
            ["consumer", "feeding", "--on", "ReadingTaken", "--where", "celsius"],
            "--where 'celsius' is not a condition",
        ),
        (
            ["consumer", "feeding", "--on", "ReadingTaken", "--where", "celsus=3"],
            "no field 'celsus'. Did you mean 'celsius'?",
        ),
        (
            ["consumer", "feeding", "--on", "ReadingTaken", "--where", "celsius=warm"],
            "holds number, so it would never match",
        ),
        (
            ["consumer", "feeding", "--on", "BedWatered", "--where", "litres=-1"],
            "No BedWatered has litres=-1",
        ),
        (
            ["consumer", "feeding", "--on", "ReadingTaken", "--ordered-by", "sensor"],
            "no field 'sensor' to be ordered by. Did you mean 'sensor_id'?",
        ),
    ],
)
def test_an_invalid_option_is_refused_in_one_line(
    arguments: list[str], reason: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _refuses(["add", *arguments], reason, tree, capsys)


def _refuses(
    arguments: list[str], reason: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = all_in(tree)
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert reason in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert all_in(tree) == before


def test_an_event_of_an_existing_module_is_refused_with_the_remedy(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "event", "LampSwitched"]) == 0
    capsys.readouterr()
    remedy = (
        "contracts/lamps.py exists already, and only new files are written. Add the class "
        "LampBroken to contracts/lamps.py, then run `make schemas`; or name another --service."
    )
    _refuses(["add", "event", "LampBroken"], remedy, tree, capsys)


def test_a_deleted_service_with_compiled_files_left_is_no_conflict(tree: Path) -> None:
    assert main([*CONSUMER, "gone", "--on", "ReadingTaken"]) == 0


@pytest.mark.parametrize("on", ["ReadingTaken", "ReadingTaken,ReadingTaken"])
def test_an_event_that_is_named_twice_is_consumed_once(on: str, tree: Path) -> None:
    assert main([*CONSUMER, "feeding", "--on", on]) == 0
    assert "on=[ReadingTaken]" in (tree / "stacks/feeding.py").read_text()


@pytest.mark.parametrize("folder", ["functions", "stacks", "tests/functions"])
def test_written_files_are_removed_when_a_later_one_can_not_be_written(
    folder: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / folder).parent.mkdir(exist_ok=True)
    (root / folder).write_text("a file, where a folder should be")
    before = all_in(root)
    assert main([*CONSUMER, "feeding", "--on", "ReadingTaken"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("The new consumer can't be written: ")
    assert error.count("\n") == 1
    assert all_in(root) == before


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_partly_written_file_is_removed_too(number: int, root: Path) -> None:
    names = ["functions/a/handler.py", "stacks/a.py", "tests/functions/test_a.py"]
    new: dict[Path, str | bytes] = {Path(name): "text" for name in names}
    new[Path(names[number])] = "x" * 100_000 + "\ud800"  # which no file can hold
    with pytest.raises(UnicodeEncodeError):
        write(new, root)
    assert all_in(root) == set()


def test_a_file_that_appears_in_between_is_not_overwritten(root: Path) -> None:
    (root / "stacks").mkdir()
    (root / "stacks/a.py").write_text("mine")
    before = all_in(root)
    with pytest.raises(FileExistsError):
        write({Path("functions/a/handler.py"): "", Path("stacks/a.py"): "theirs"}, root)
    assert (root / "stacks/a.py").read_text() == "mine"
    assert all_in(root) == before
