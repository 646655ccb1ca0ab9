"""A function that imports what is neither in its asset, the layer nor Lambda's runtime is named."""

import zipfile
from pathlib import Path

import pytest

from patchbay.packaging.imports import Sources
from patchbay.packaging.third_party import NotInLayer, check_imports, modules_in
from tests.patchbay.packaging.trees import tree

HANDLER = "functions.notes.handler"
CONTENT = (
    "python/openpyxl/__init__.py",
    "python/openpyxl-3.1.dist-info/METADATA",
    "python/typing_extensions.py",
    "python/orjson.cpython-314-aarch64-linux-gnu.so",
    "python/bin/tool",
)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in CONTENT:
            archive.writestr(name, "")
    return path


def check(statement: str, layer: Path) -> None:
    root = tree(layer.parent / "project", {"functions/notes/handler.py": statement})
    check_imports(HANDLER, layer, Sources(root))


def test_a_layer_offers_its_packages_modules_and_extensions(layer: Path) -> None:
    assert {"openpyxl", "typing_extensions", "orjson"} <= modules_in(layer)


def test_a_package_that_is_not_in_the_layer_is_named_with_the_file_and_the_remedy(
    layer: Path,
) -> None:
    with pytest.raises(NotInLayer) as failure:
        check("import rich.table", layer)
    assert str(failure.value) == (
        "functions/notes/handler.py imports rich, which is not in the layer: add it to "
        "functions/requirements.in and run `make lock`."
    )


def test_all_missing_packages_are_named_at_once(layer: Path) -> None:
    tree(layer.parent / "project", {"functions/notes/sheet.py": "from rich import table"})
    with pytest.raises(NotInLayer) as failure:
        check("from functions.notes import sheet\ndef later():\n    import moto", layer)
    assert [line.partition(",")[0] for line in str(failure.value).splitlines()] == [
        "functions/notes/handler.py imports moto",
        "functions/notes/sheet.py imports rich",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "from openpyxl.styles import Font",
        "import orjson",
        "import json, os.path",
        "import boto3",
        "from botocore.exceptions import ClientError",
        "from dateutil import parser",
        "if TYPE_CHECKING:\n    from mypy_boto3_s3 import S3Client",
        "try:\n    import uvloop\nexcept ImportError:\n    uvloop = None",
        "from functions.notes import handler",
    ],
)
def test_packages_of_lambdas_runtime_may_be_imported(statement: str, layer: Path) -> None:
    check(statement, layer)
