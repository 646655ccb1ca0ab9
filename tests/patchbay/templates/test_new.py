"""`patchbay new` and `patchbay upgrade`: the files that they write, and their refusals."""

import hashlib
import json
import re
import shlex
import tomllib
import zipfile
from pathlib import Path

import pytest

from patchbay.cli.__main__ import main
from patchbay.errors import UserError
from patchbay.templates import wheel
from patchbay.templates.upgrade import upgrade

MAKEFILE = "lock:\n\t@sed -n 's/^/locked: /p' requirements.in > requirements.txt\n"
FAILING = "lock:\n\t@echo no network >&2; exit 1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def a_wheel(folder: Path, version: str) -> Path:
    path = folder / f"patchbay_aws-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("patchbay/__init__.py", version)
    return path


def test_a_new_project_has_the_given_name(folder: Path) -> None:
    assert main(["new", "star-gazing"]) == 0
    project = folder / "star-gazing"
    described = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["patchbay"]
    assert described == {"name": "star-gazing", "namespace": "star_gazing"}
    assert json.loads((project / "package.json").read_text())["name"] == "star-gazing"
    assert (project / "README.md").read_text().startswith("# Star gazing\n")
    assert (project / "contracts/schemas/star_gazing.requests.RequestReceived.v1.json").is_file()


def test_the_event_that_a_new_projects_readme_publishes_matches_its_contract(folder: Path) -> None:
    assert main(["new", "stars"]) == 0
    project = folder / "stars"
    commands = re.findall(r"^(.*patchbay publish .*)$", (project / "README.md").read_text(), re.M)
    (published,) = commands
    echo, text, pipe, *publish = shlex.split(published)
    assert (echo, pipe, publish) == ("echo", "|", ["patchbay", "publish", "-", "--stage", "local"])
    schema = json.loads(
        (project / "contracts/schemas/stars.requests.RequestReceived.v1.json").read_text()
    )
    event = json.loads(text)
    assert event.keys() == {"type", "data"}
    assert event["type"] == schema["title"] == "RequestReceived"
    assert event["data"].keys() == schema["properties"].keys() == set(schema["required"])
    assert all(isinstance(event["data"][name], str) for name in event["data"])
    assert {field["type"] for field in schema["properties"].values()} == {"string"}


def test_a_new_project_pins_by_hash_the_patchbay_that_made_it(folder: Path) -> None:
    assert main(["new", "stars"]) == 0
    (pinned,) = (folder / "stars" / "vendor").glob("*.whl")
    digest = hashlib.sha256(pinned.read_bytes()).hexdigest()
    line = f"./vendor/{pinned.name} \\\n    --hash=sha256:{digest}\n"
    assert line in (folder / "stars" / "requirements.txt").read_text()
    assert f"./vendor/{pinned.name}[all]\n" in (folder / "stars" / "requirements.in").read_text()


def test_a_new_project_has_no_registry_and_no_placeholder_in_it(folder: Path) -> None:
    assert main(["new", "stars"]) == 0
    for name, content in files(folder / "stars").items():
        if not name.endswith(".whl"):
            text = content.decode()
            assert "<<" not in text, name
            assert "registry." not in text, name
            assert str(folder) not in text, name


def test_it_takes_another_wheel_and_another_folder(folder: Path) -> None:
    other = a_wheel(folder, "1.7.0")
    assert main(["new", "stars", "--directory", "a/b", "--from", str(other)]) == 0
    assert (folder / "a/b/vendor" / other.name).read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Stars", "A project can't be called 'Stars'"),
        ("-", "A project can't be called '-'"),
        ("", "A project can't be called ''"),
        ("a" * 40, "A project can't be called 'aaaa"),
        ("../stars", "A project can't be called '../stars'"),
        ("class", "A project can't be called 'class': Python or the project"),
        ("json", "A project can't be called 'json': Python or the project"),
        ("patchbay", "A project can't be called 'patchbay': Python or the project"),
        ("taken", "taken exists, and is not an empty folder."),
    ],
)
def test_it_refuses_with_the_reason_and_writes_nothing(
    name: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "taken").mkdir()
    (folder / "taken" / "file").write_text("mine")
    before = files(folder)
    assert main(["new", "--", name]) == 2
    error = capsys.readouterr().err
    assert error.startswith(reason)
    assert error.count("\n") == 1
    assert files(folder) == before


def test_an_empty_folder_is_accepted(folder: Path) -> None:
    (folder / "stars").mkdir()
    assert main(["new", "stars"]) == 0


@pytest.fixture
def project(folder: Path) -> Path:
    """A project as far as an upgrade sees it, made with 1.0.0."""
    root = folder / "stars"
    for name, text in {
        "Makefile": MAKEFILE,
        "requirements.in": "./vendor/patchbay_aws-1.0.0-py3-none-any.whl[all]\nruff\n",
        "requirements.txt": "before\n",
        "functions/requirements.txt": "before\n",
        "stacks/mine.py": "mine\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "vendor").mkdir()
    a_wheel(root / "vendor", "1.0.0")
    return root


def test_an_upgrade_changes_the_pin_the_wheel_and_the_locks_only(
    project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchbay.project.root.ROOT", project)
    new = a_wheel(folder, "1.1.0")
    before = files(project)
    assert main(["upgrade", "--to", str(new)]) == 0
    after = files(project)
    assert set(before) - set(after) == {"vendor/patchbay_aws-1.0.0-py3-none-any.whl"}
    assert set(after) - set(before) == {f"vendor/{new.name}"}
    changed = {name for name in before if name in after and before[name] != after[name]}
    assert changed == {"requirements.in", "requirements.txt"}
    assert after["requirements.txt"].startswith(f"locked: ./vendor/{new.name}[all]".encode())


def test_an_upgrade_that_can_not_be_locked_changes_nothing(project: Path, folder: Path) -> None:
    (project / "Makefile").write_text(FAILING)
    before = files(project)
    with pytest.raises(UserError, match="nothing was changed"):
        upgrade(project, str(a_wheel(folder, "1.1.0")))
    assert files(project) == before


def test_a_file_that_is_not_a_wheel_is_refused(project: Path, folder: Path) -> None:
    (folder / "other.whl").write_text("none")
    before = files(project)
    for name in ("other.whl", "missing.whl"):
        with pytest.raises(UserError, match="is not a wheel of Patchbay"):
            upgrade(project, str(folder / name))
    assert files(project) == before


def test_a_project_without_a_pinned_wheel_can_not_be_upgraded(folder: Path) -> None:
    with pytest.raises(UserError, match="does not hold a wheel"):
        upgrade(folder, "1.1.0")


def test_the_installed_package_is_repacked_to_the_same_bytes(folder: Path) -> None:
    from importlib.metadata import distribution

    installed = distribution("pluggy")  # any that is installed from a wheel
    packed = []
    for name in ("a", "b"):
        (folder / name).mkdir()
        packed.append(wheel._repacked(installed, folder / name).read_bytes())
    first, second = packed
    assert first == second
    with zipfile.ZipFile(next((folder / "a").iterdir())) as archive:
        assert "pluggy/__init__.py" in archive.namelist()
        assert archive.testzip() is None
