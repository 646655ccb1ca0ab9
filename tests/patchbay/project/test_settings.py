"""Settings: the sources of their values, and the error for a missing one."""

from typing import Any

import pytest

from patchbay.project.project import Kind, Stage
from patchbay.project.settings import BadSetting, Setting, check


class Alerts:
    """A service with settings."""

    contact = Setting("Who is called.", local="nobody", dev="nobody")
    most = Setting("How many a day.", kind=int, local=1, dev=2, prod=3)
    sandbox = Setting[str | None]("Where it is.", default=None)

    def __init__(self, kind: Kind, settings: dict[str, Any] | None = None, **context: Any) -> None:
        self.stage = Stage(name="here", kind=kind, settings={"alerts": settings or {}})
        self.given = {f"alerts.{name}": value for name, value in context.items()}

    @classmethod
    def service_name(cls) -> str:
        return "alerts"

    def context(self, key: str) -> Any:
        return self.given.get(key)


def test_each_kind_of_stage_has_its_default() -> None:
    assert [Alerts(kind).most for kind in ("local", "dev", "prod")] == [1, 2, 3]
    assert Alerts("dev").contact == "nobody"
    assert Alerts("prod").sandbox is None


def test_the_context_comes_before_the_project_and_the_project_before_the_default() -> None:
    assert Alerts("dev", {"most": 7}).most == 7
    assert Alerts("dev", {"most": 7}, most="9").most == 9


def test_a_missing_setting_is_named_with_its_service_and_where_to_put_it() -> None:
    with pytest.raises(BadSetting) as error:
        check(Alerts("prod"))
    assert str(error.value) == (
        "The service alerts needs the setting contact in the stage here. Who is called. Put it "
        'into pyproject.toml, as contact = "…" below '
        "[tool.patchbay.stages.here.settings.alerts], or pass `-c alerts.contact=…`."
    )
    check(Alerts("prod", {"contact": "me"}))


def test_a_setting_of_another_type_is_refused() -> None:
    with pytest.raises(BadSetting, match="most of the service alerts is 'many', not of type int"):
        check(Alerts("dev", most="many"))
