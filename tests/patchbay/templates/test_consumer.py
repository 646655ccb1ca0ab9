"""What `make consumer` writes, and what it refuses before it writes anything."""

import ast
import keyword
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from patchbay.cli.develop import add as scaffold
from patchbay.errors import UserError
from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.project.naming import named
from patchbay.project.project import BadStage, project
from patchbay.project.root import ROOT
from patchbay.templates.consumer import files
from patchbay.templates.naming import LONGEST_STAGE, Name, check_length, parse

EVENTS = list(events().values())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """As much of a project as the scaffold looks at."""
    for name in (
        "patchbay/messaging/consuming.py",
        "functions/orders/status.py",
        "functions/orders/api.py",
        "stacks/orders.py",
        "stacks/reports.py",
        "tests/functions/test_audit.py",
        "functions/gone/__pycache__/handler.cpython-311.pyc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def all_in(tree: Path) -> set[Path]:
    return set(tree.rglob("*"))


def test_it_writes_three_files_and_says_what_comes_next(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = all_in(tree)
    assert scaffold.main(["loyalty", "OrderPlaced"], tree) == 0
    said = capsys.readouterr()
    for name in (
        "functions/loyalty/handler.py",
        "stacks/loyalty.py",
        "tests/functions/test_loyalty.py",
    ):
        assert (tree / name).is_file()
        assert f"wrote {name}\n" in said.out
    assert "make test" in said.out
    assert "make demo" in said.out
    assert said.err == ""
    assert {path for path in all_in(tree) - before if path.is_file()} == {
        tree / path for path in files(Name("loyalty"), [events()["OrderPlaced"]])
    }


@pytest.mark.parametrize(
    ("name", "on", "reason"),
    [
        ("", "OrderPlaced", "usage: make consumer NAME=loyalty ON=OrderPlaced"),
        ("loyalty", "", "usage: make consumer NAME=loyalty ON=OrderPlaced"),
        ("loyalty", " , ", "usage: make consumer NAME=loyalty ON=OrderPlaced"),
        ("Loyalty", "OrderPlaced", "'Loyalty' can't be a service's name: it takes lower-case"),
        ("2fast", "OrderPlaced", "'2fast' can't be a service's name: it takes lower-case"),
        ("loyalty.points", "OrderPlaced", "can't be a service's name: it takes lower-case"),
        ("../loyalty", "OrderPlaced", "can't be a service's name: it takes lower-case"),
        ("loyalty--points", "OrderPlaced", "can't be a service's name: it takes lower-case"),
        ("-loyalty", "OrderPlaced", "can't be a service's name: it takes lower-case"),
        ("loyalté", "OrderPlaced", "can't be a service's name: it takes lower-case"),
        ("loyalty\nx", "OrderPlaced", "can't be a service's name: it takes lower-case"),
        ("class", "OrderPlaced", "Python keeps that word for itself"),
        ("none", "OrderPlaced", "Python keeps that word for itself"),
        ("service", "OrderPlaced", "its class would be called Service"),
        ("order-placed", "OrderPlaced", "its class would be called OrderPlaced"),
        ("warning", "OrderPlaced", "its class would be called Warning"),
        ("orders", "OrderPlaced", "'orders' is taken: there is a functions/orders"),
        ("messaging", "OrderPlaced", "'messaging' is taken: there is a patchbay/messaging"),
        ("reports", "OrderPlaced", "'reports' is taken: there is a stacks/reports.py"),
        ("audit", "OrderPlaced", "'audit' is taken: there is a tests/functions/test_audit.py"),
        ("broker", "OrderPlaced", "'broker' is taken: there is a stack broker"),
        ("orders-status", "OrderPlaced", "'orders-status' is taken: it is what AWS calls a part"),
        ("orders-dead-letters", "OrderPlaced", "those ending in 'dead-letters' are for the queues"),
        ("undelivered", "OrderPlaced", "those ending in 'undelivered' are for the queues"),
        ("a" * 38, "OrderPlaced", "is too long: with 31 characters or fewer"),
        ("a" * 37, "OrderPlaced,PaymentTaken", "is too long: with 29 characters or fewer"),
        ("loyalty", "OrderPlacd", "no event 'OrderPlacd'. Did you mean 'OrderPlaced'?"),
        ("loyalty", "OrderPlaced,paymenttaken", "Did you mean 'PaymentTaken'?"),
        ("loyalty", "Xyz", "There is no event 'Xyz'. The events are: "),
    ],
)
def test_it_refuses_in_a_line_and_writes_nothing(
    name: str, on: str, reason: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = all_in(tree)
    assert scaffold.main([name, on], tree) == 2
    said = capsys.readouterr()
    assert reason in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert all_in(tree) == before


def test_a_name_that_only_left_its_compiled_files_behind_is_free(tree: Path) -> None:
    assert scaffold.main(["gone", "OrderPlaced"], tree) == 0


@pytest.mark.parametrize("arguments", [[], ["loyalty"], ["loyalty", "OrderPlaced", "PaymentTaken"]])
def test_too_few_or_too_many_words_get_the_usage(
    arguments: list[str], tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scaffold.main(arguments, tree) == 2
    assert capsys.readouterr().err.startswith("usage: make consumer")


def test_an_event_that_is_named_twice_is_consumed_once(tree: Path) -> None:
    once, twice = (
        scaffold.consumer("loyalty", on, tree) for on in ("OrderPlaced", "OrderPlaced,OrderPlaced")
    )
    assert once == twice


@pytest.mark.parametrize("folder", ["functions", "stacks", "tests/functions"])
def test_what_was_written_is_removed_when_the_rest_can_not_be(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / folder).parent.mkdir(exist_ok=True)
    (tmp_path / folder).write_text("a file, where a folder should be")
    before = all_in(tmp_path)
    assert scaffold.main(["loyalty", "OrderPlaced"], tmp_path) == 2
    said = capsys.readouterr().err
    assert said.startswith("The new consumer can't be written: ")
    assert said.count("\n") == 1
    assert all_in(tmp_path) == before


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_file_that_is_written_by_half_is_removed_too(number: int, tree: Path) -> None:
    new = scaffold.consumer("loyalty", "OrderPlaced", tree)
    new[list(new)[number]] += "x" * 100_000 + "\ud800"  # which no file can hold
    before = all_in(tree)
    with pytest.raises(UnicodeEncodeError):
        scaffold.write(new, tree)
    assert all_in(tree) == before


def test_a_file_that_appears_meanwhile_is_not_overwritten(tree: Path) -> None:
    new = scaffold.consumer("loyalty", "OrderPlaced", tree)
    (tree / "stacks/loyalty.py").write_text("mine")
    before = all_in(tree)
    with pytest.raises(FileExistsError):
        scaffold.write(new, tree)
    assert (tree / "stacks/loyalty.py").read_text() == "mine"
    assert all_in(tree) == before


def spellings() -> st.SearchStrategy[str]:
    words = st.from_regex(r"[a-z][a-z0-9]{0,14}", fullmatch=True)
    joined = st.lists(words, min_size=1, max_size=5).map("-".join)
    return st.one_of(joined, joined.map(lambda name: name.replace("-", "_")), st.text(max_size=12))


@example("class", EVENTS)
@example("none", EVENTS)
@example("a" * 36, EVENTS)
@given(spellings(), st.lists(st.sampled_from(EVENTS), min_size=1, unique=True))
def test_whatever_name_is_accepted_is_one_that_python_and_aws_take(
    text: str, on: list[type[Event]]
) -> None:
    try:
        name = parse(text)
        check_length(name, on)
    except UserError:
        return
    assert name.module.isidentifier()
    assert name.class_name.isidentifier()
    assert not keyword.iskeyword(name.module)
    assert not keyword.iskeyword(name.class_name)
    assert name.service == text.replace("_", "-")
    ast.parse(f"import functions.{name.module}.handler\nclass {name.class_name}: ...")
    for stage in ("local", "dev", "prod", LONGEST_STAGE):
        for suffix, limit in lengths(on):
            assert len(named(stage, f"{name.service}{suffix}")) <= limit


def lengths(on: list[type[Event]]) -> Iterator[tuple[str, int]]:
    yield "", 64
    yield "-dead-letters", 80
    yield "-undelivered", 80
    yield "-idempotency", 255
    yield from ((f"-{event.source().replace('.', '-')}", 64) for event in on)


def test_lengths_are_judged_by_the_longest_stage_that_there_can_be() -> None:
    assert project().stage(LONGEST_STAGE).name == LONGEST_STAGE
    with pytest.raises(BadStage):
        project().stage(LONGEST_STAGE + "s")


@pytest.mark.parametrize("name", ["a", "a" * 35, "a_b", "z2_points"])
@pytest.mark.parametrize("on", [EVENTS[:1], EVENTS], ids=["one", "all"])
def test_what_it_writes_is_tidy_whatever_the_name_and_the_events(
    name: str, on: list[type[Event]], tmp_path: Path
) -> None:
    written = files(parse(name), on)
    for path, text in written.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for folder in ("contracts", "patchbay/messaging"):  # so that imports sort as in the project
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for command in (["check"], ["format", "--check"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout
