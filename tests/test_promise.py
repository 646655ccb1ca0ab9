"""The promise: a new consumer is new files only, and no other stack differs by a byte."""

import json
import shutil
from pathlib import Path

import pytest

from patchbay.project.root import ROOT
from patchbay.topology.consumers import consumers
from patchbay.topology.template import Template
from tests.synthesis import SETTINGS, run_app, templates_in
from tests.trees import changes, copy_of_the_project, made_once, run

ADD = ("patchbay.cli", "add", "consumer")
NEW = {
    "functions/made_by_a_test/handler.py",
    "stacks/made_by_a_test.py",
    "tests/functions/test_made_by_a_test.py",
}
STACK = "records-local-made-by-a-test"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, synthesized, then given a consumer, and synthesized again."""
    return made_once(tmp_path_factory, "promised", give_it_a_consumer)


def give_it_a_consumer(root: Path) -> None:
    """Make `root` such a copy."""
    copy_of_the_project(root)
    for moment in ("before", "after"):
        if moment == "after":
            written = run(root, *ADD, "made-by-a-test", "--on", "OrderPlaced,PaymentDeclined")
            assert written.returncode == 0, written.stderr
        synthesized = run_app(SETTINGS["local"], root / "build" / moment, root)
        assert synthesized.returncode == 0, synthesized.stderr


def test_git_sees_three_new_files_and_no_change(tree: Path) -> None:
    assert set(changes(tree).splitlines()) == {f"?? {name}" for name in NEW}


def test_no_other_stacks_template_differs_by_a_byte(tree: Path) -> None:
    before, after = (
        {path.name: path.read_bytes() for path in (tree / "build" / moment).glob("*.template.json")}
        for moment in ("before", "after")
    )
    assert set(after) - set(before) == {f"{STACK}.template.json"}
    assert {name: after[name] for name in before} == before


def test_the_assembly_has_one_more_stack(tree: Path) -> None:
    before, after = (
        {
            name
            for name, artifact in json.loads(path.read_text())["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        for path in (tree / "build" / moment / "manifest.json" for moment in ("before", "after"))
    )
    assert after - before == {STACK}
    assert before < after


def test_the_new_stack_consumes_the_given_events(tree: Path) -> None:
    templates = templates_in(tree / "build" / "after")
    (consumer,) = consumers({STACK: Template(STACK, templates[STACK])})
    assert consumer.name == "made-by-a-test"
    assert consumer.passes(source="shop.orders", detail_type="OrderPlaced")
    assert consumer.passes(source="shop.payments", detail_type="PaymentDeclined")
    assert not consumer.passes(source="shop.payments", detail_type="PaymentTaken")


def test_the_new_files_are_as_tidy_as_the_rest(tree: Path) -> None:
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        result = run(tree, *command, *sorted(NEW))
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_new_files_types_are_right(tree: Path) -> None:
    # What `make test` has just learned of the third-party packages, mypy need not read again.
    if (ROOT / ".mypy_cache").exists():
        shutil.copytree(ROOT / ".mypy_cache", tree / ".mypy_cache")
    result = run(tree, "mypy", *sorted(NEW))
    assert "3 source files" in result.stdout + result.stderr
    assert not [line for line in result.stdout.splitlines() if line.startswith(tuple(NEW))]


def test_the_new_test_passes_and_fails_if_the_handler_does_nothing(
    tree: Path, tmp_path: Path
) -> None:
    """Both in one run of pytest, with a second new consumer, which does nothing."""
    made_by_others = shutil.ignore_patterns(".*_cache", "__pycache__", "before", "after")
    tree = shutil.copytree(tree, tmp_path / "tree", symlinks=True, ignore=made_by_others)
    written = run(tree, *ADD, "idle-by-a-test", "--on", "OrderPlaced")
    assert written.returncode == 0, written.stderr
    handler = tree / "functions" / "idle_by_a_test" / "handler.py"
    lines = [line for line in handler.read_text().splitlines() if "logger()" not in line]
    handler.write_text("\n".join([*lines, "    return", ""]))
    made, idles, imports = (
        "tests/functions/test_made_by_a_test.py",
        "tests/functions/test_idle_by_a_test.py",
        "tests/test_imports.py",
    )
    result = run(tree, "pytest", "-q", "-p", "no:cacheprovider", made, idles, imports)
    assert result.returncode == 1, result.stdout + result.stderr
    failed = [line for line in result.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    assert failed, result.stdout
    assert all(line.startswith(f"FAILED {idles}") for line in failed), failed
    assert " passed" in result.stdout


def test_a_second_consumer_of_the_same_name_is_refused_and_the_first_is_unchanged(
    tree: Path,
) -> None:
    before = {name: (tree / name).read_text() for name in NEW}
    result = run(tree, *ADD, "made_by_a_test", "--on", "PaymentTaken")
    assert result.returncode == 2
    assert result.stderr == (
        "The name 'made-by-a-test' is taken: there is a functions/made_by_a_test.\n"
    )
    assert {name: (tree / name).read_text() for name in NEW} == before
