"""The layer: the packages of functions/requirements.txt, for the runtime of the stage."""

import zipfile
from pathlib import Path

import pytest

from patchbay.packaging import layer
from patchbay.packaging.layer import LayerFailed, Target, build
from tests.patchbay.greenhouse import SAMPLE

REQUIREMENTS = SAMPLE / "functions" / "requirements.txt"
ON_AWS = Target(python="3.14", architecture="arm64")
HERE = Target(python="", architecture="", here=True)


def names_in(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as file:
        return file.namelist()


def test_a_layer_for_aws_has_packages_for_its_platform_on_any_machine(tmp_path: Path) -> None:
    names = names_in(build(ON_AWS, REQUIREMENTS))
    compiled = [name for name in names if name.endswith(".so")]
    assert "python/pydantic_core/_pydantic_core.cpython-314-aarch64-linux-gnu.so" in compiled
    assert not [name for name in compiled if "aarch64" not in name]
    assert all(name.startswith("python/") for name in names)


def test_a_layer_leaves_out_the_packages_of_the_runtime(tmp_path: Path) -> None:
    packages = {name.split("/")[1] for name in names_in(build(ON_AWS, REQUIREMENTS))}
    assert {"pydantic", "aws_lambda_powertools"} <= packages
    assert not {"boto3", "botocore"} & packages


def test_a_layer_is_built_once_for_each_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = build(ON_AWS, REQUIREMENTS)
    monkeypatch.setattr(layer, "_install", None)  # which would now fail
    assert build(ON_AWS, REQUIREMENTS) == archive


def test_each_platform_has_a_layer_of_its_own(tmp_path: Path) -> None:
    assert build(ON_AWS, REQUIREMENTS) == build(
        Target(python="3.14", architecture="arm64"), REQUIREMENTS
    )
    assert build(ON_AWS, REQUIREMENTS) != build(HERE, REQUIREMENTS)


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        folder = tmp_path / name / "python"
        folder.mkdir(parents=True)
        (folder / ("b.py" if name == "first" else "a.py")).write_text("a = 1")
        (folder / "a.py").write_text("a = 1")
        (folder / "b.py").write_text("a = 1")
        (folder / ".lock").touch()
    first = layer._zip(tmp_path / "first", tmp_path / "first.zip")
    second = layer._zip(tmp_path / "second", tmp_path / "second.zip")
    assert first.read_bytes() == second.read_bytes()
    assert names_in(first) == ["python/a.py", "python/b.py"]


def test_a_package_with_another_hash_is_refused_with_uvs_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "LAYERS", tmp_path / "layers")
    package = wheel(tmp_path)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"tiny @ {package.as_uri()} --hash=sha256:{'0' * 64}\n")
    with pytest.raises(LayerFailed, match=r"(?s)can't be built from .*Hash mismatch for `tiny"):
        build(ON_AWS, requirements)
    assert list((tmp_path / "layers").iterdir()) == []


def test_a_package_without_a_hash_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "LAYERS", tmp_path / "layers")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"tiny @ {wheel(tmp_path).as_uri()}\n")
    with pytest.raises(LayerFailed, match="hash"):
        build(ON_AWS, requirements)


def test_every_pinned_package_has_hashes() -> None:
    pins = REQUIREMENTS.read_text().replace("\\\n", "").splitlines()
    packages = [line for line in pins if line and not line.lstrip().startswith("#")]
    assert packages
    assert all("--hash=sha256:" in line for line in packages)


def wheel(folder: Path) -> Path:
    """A package of one module, so that nothing need be downloaded."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    record = "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny.py", "")
        file.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", record)
    return path
