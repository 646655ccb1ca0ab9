"""A stage: what it is called, and which settings it can't do without."""

from pathlib import Path

import pytest

from patchbay.constructs.stage import BadStage
from patchbay.project.naming import bus_name, named
from tests.apps import stage_of


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_every_name_begins_with_the_system_and_the_stage(stage: str, tmp_path: Path) -> None:
    found = stage_of(stage, tmp_path)
    assert found.named("payments") == named(stage, "payments") == f"patchbay-{stage}-payments"
    assert found.bus_name == bus_name(stage) == f"patchbay-{stage}"


@pytest.mark.parametrize("name", ["production", "Dev", "", "dev "])
def test_an_unknown_stage_is_refused_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadStage, match=f"There is no stage {name!r}: use one of local, dev, prod"):
        stage_of(name, tmp_path)


@pytest.mark.parametrize("setting", ["mail_from", "mail_to", "payment_provider"])
@pytest.mark.parametrize("value", [None, ""])
def test_prod_does_not_start_without_a_setting_that_has_no_safe_default(
    setting: str, value: str | None, tmp_path: Path
) -> None:
    with pytest.raises(BadStage, match=f"prod needs settings that only you know: {setting}\\."):
        stage_of("prod", tmp_path, **{setting: value})


def test_all_that_prod_lacks_is_named_at_once(tmp_path: Path) -> None:
    without = dict.fromkeys(("mail_from", "mail_to", "payment_provider"))
    with pytest.raises(BadStage, match="mail_from, mail_to, payment_provider"):
        stage_of("prod", tmp_path, **without)


def test_dev_needs_no_settings_and_mails_nobody(tmp_path: Path) -> None:
    stage = stage_of("dev", tmp_path)
    assert stage.payment_provider is None
    assert stage.mail_to.endswith("@simulator.amazonses.com")
