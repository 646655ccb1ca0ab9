"""Functions are isolated from the tests' process, and a cloud comes to rest."""

import os
from pathlib import Path

import pytest

from patchbay.testkit.clock import Clock, NeverIdle
from patchbay.testkit.cloud import Cloud
from tests.patchbay.testkit.small import small


def test_a_function_sees_only_the_modules_of_its_own_asset(tmp_path: Path) -> None:
    with Cloud(small(tmp_path, "import patchbay.constructs.stage")) as cloud:
        cloud.send("worker", "x")
        cloud.settle()
        assert cloud.dead_letters("worker").reasons == [
            "ModuleNotFoundError: No module named 'patchbay'"
        ]


def test_a_function_sees_only_its_own_variables(tmp_path: Path) -> None:
    os.environ["OF_THE_TEST"] = "1"
    try:
        with Cloud(small(tmp_path, "import os; assert 'OF_THE_TEST' not in os.environ")) as cloud:
            cloud.send("worker", "x")
            cloud.settle()
            assert cloud.dead_letters("worker") == ()
    finally:
        del os.environ["OF_THE_TEST"]


def test_an_endless_loop_of_actions_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "MAX_STEPS", 100)
    with Clock() as clock:

        def again() -> None:
            clock.at(clock.now + 1, again)

        again()
        with pytest.raises(NeverIdle, match="The cloud does not come to rest"):
            clock.run()


def test_a_function_sees_only_the_part_of_the_package_that_is_in_its_asset(tmp_path: Path) -> None:
    then = "import patchbay.messaging.part; import patchbay.messaging.consuming"
    templates = small(tmp_path, then)
    package = tmp_path / "asset.code" / "patchbay" / "messaging"
    package.mkdir(parents=True)
    (package / "part.py").write_text("")
    with Cloud(templates) as cloud:
        cloud.send("worker", "x")
        cloud.settle()
        assert cloud.dead_letters("worker").reasons == [
            "ModuleNotFoundError: No module named 'patchbay.messaging.consuming'"
        ]
