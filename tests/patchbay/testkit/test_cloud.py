"""What a function sees of the process in which the kit runs it, and how a cloud comes to rest."""

import os
from pathlib import Path

import pytest

from patchbay.testkit.clock import Clock, NeverIdle
from patchbay.testkit.cloud import Cloud
from tests.patchbay.testkit.small import small


def test_a_function_sees_its_own_assets_modules_only(tmp_path: Path) -> None:
    with Cloud(small(tmp_path, "import patchbay.constructs.stage")) as cloud:
        cloud.send("worker", "x")
        cloud.settle()
        assert cloud.dead_letters("worker").reasons == [
            "ModuleNotFoundError: No module named 'patchbay'"
        ]


def test_a_function_sees_its_own_variables_only(tmp_path: Path) -> None:
    os.environ["OF_THE_TEST"] = "1"
    try:
        with Cloud(small(tmp_path, "import os; assert 'OF_THE_TEST' not in os.environ")) as cloud:
            cloud.send("worker", "x")
            cloud.settle()
            assert cloud.dead_letters("worker") == ()
    finally:
        del os.environ["OF_THE_TEST"]


def test_what_goes_on_for_ever_is_ended_with_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "MAX_STEPS", 100)
    with Clock() as clock:

        def again() -> None:
            clock.at(clock.now + 1, again)

        again()
        with pytest.raises(NeverIdle, match="it still goes on"):
            clock.run()


def test_a_function_sees_of_the_package_what_is_in_its_asset_and_no_more(tmp_path: Path) -> None:
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
