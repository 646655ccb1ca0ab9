"""The page "Break things"."""

from typing import Any

import pytest
from markupsafe import Markup

from patchbay.console.additions import (
    Action,
    Additions,
    Mode,
    NumberField,
    Page,
    Progress,
    Trouble,
)
from patchbay.console.pages import break_things
from patchbay.operations.clients import Clients
from patchbay.operations.health.health import SystemHealth
from patchbay.topology.consumers import Consumer
from tests.patchbay.console.conftest import Browser, Open
from tests.patchbay.operations.health.sample_health import NAMES, health

PART = {"HX-Request": "true"}
PAUSED = "journal"
OTHER, ANOTHER = [name for name in NAMES if name != PAUSED][:2]
MODES = (
    Mode("well", "It reports every minute.", "well"),
    Mode("slow", "It takes two seconds for each report.", "behind"),
    Mode("down", "It reports nothing."),
)
CLOCK_MODES = (Mode("well", "It is right.", "well"), Mode("late", "It is an hour late."))


class Surroundings:
    """A project's troubles and actions, which record how they were used."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.progress: Progress | None = None
        self.modes = {"station": "well", "clock": "well"}

    def additions(self) -> Additions:
        readings = NumberField(name="count", label="How many", most=500, initial=20)
        return Additions(
            troubles=[
                self._trouble("station", "Weather station", MODES),
                self._trouble("clock", "Clock", CLOCK_MODES),
            ],
            actions=[
                Action(
                    id="readings",
                    title="Readings",
                    description="Readings, one after the other.",
                    button="Take them",
                    fields=[readings],
                    run=self.take,
                    progress=lambda: self.progress,
                ),
                Action(
                    id="malformed",
                    title="A malformed event",
                    description="Nobody can handle it.",
                    button="Put one on the bus",
                    run=self.put_malformed_event,
                ),
            ],
            pages=[
                Page(id="beds", title="Beds", content=lambda: "Bed <1> is dry."),
                Page(id="rows", title="Rows", content=lambda: Markup("<b>Row 1</b>")),
            ],
        )

    def take(self, count: int) -> None:
        self.runs.append(f"take {count}")
        self.progress = Progress(f"3 of {count} taken.", is_going_on=True)

    def put_malformed_event(self) -> str:
        self.runs.append("malformed")
        return "A malformed reading is on the bus."

    def _trouble(self, id: str, title: str, modes: tuple[Mode, ...]) -> Trouble:
        return Trouble(
            id=id,
            title=title,
            modes=modes,
            current=lambda: self.modes[id],
            switch=lambda mode: self.modes.update({id: mode}),
        )


@pytest.fixture
def surroundings() -> Surroundings:
    return Surroundings()


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the last switch of each consumer, by its name."""
    done: dict[str, str] = {}

    def recording(what: str) -> break_things.Switch:
        def switch(clients: Clients, stage: str, name: str) -> None:
            assert stage == "local"
            done[name] = what

        return switch

    def deployed(clients: Clients, bus: str) -> list[Consumer]:
        return [Consumer(name, "", "", "", None, ()) for name in NAMES]

    def broken(clients: Clients, consumers: Any) -> set[str]:
        return {name for name, what in done.items() if what == "break"}

    switches = {what: (recording(what), text) for what, (_, text) in break_things.SWITCHES.items()}
    monkeypatch.setattr(break_things, "SWITCHES", switches)
    for what in ("mend", "resume"):
        monkeypatch.setattr(break_things, what, recording(what))
    monkeypatch.setattr(break_things, "deployed_consumers", deployed)
    monkeypatch.setattr(break_things, "broken", broken)
    return done


def check() -> SystemHealth:
    return health(**{PAUSED: {"state": "paused", "waiting": 7}})


@pytest.fixture
def browser(browse: Open, surroundings: Surroundings, switched: dict[str, str]) -> Browser:
    return browse(stage="local", check=check, additions=surroundings.additions())


def pressed(page: str) -> set[str]:
    """Return the ids of the pressed buttons."""
    tags = [tag for tag in page.split("<button")[1:] if 'aria-pressed="true"' in tag]
    return {tag.partition('id="')[2].partition('"')[0] for tag in tags}


def test_the_page_exists_on_the_local_stage_only(browse: Open) -> None:
    browser = browse(check=check)
    assert 'href="/break"' not in browser.get("/").text
    assert browser.get("/break").status_code == 404
    assert browser.change(f"/break/consumers/{OTHER}/break").status_code == 404


def test_an_action_is_run_and_the_page_shows_its_progress(
    browser: Browser, surroundings: Surroundings
) -> None:
    assert "Readings, one after the other." in browser.get("/break").text
    page = browser.change("/break/actions/readings", count="20").text
    assert surroundings.runs == ["take 20"]
    assert "3 of 20 taken." in page
    assert 'hx-get="/break/surroundings"' in page  # it polls
    surroundings.progress = Progress("20 of 20 taken.")
    page = browser.get("/break/surroundings", headers=PART).text
    assert "20 of 20 taken." in page
    assert 'hx-get="/break/surroundings"' not in page


def test_the_reason_why_an_action_stopped_is_shown_as_text(
    browser: Browser, surroundings: Surroundings
) -> None:
    surroundings.progress = Progress(
        "3 of 20 taken.", failure="The sensor answered 500: <script>alert(1)</script>"
    )
    page = browser.get("/break").text
    assert "The sensor answered 500: &lt;script&gt;" in page
    assert 'hx-get="/break/surroundings"' not in page


@pytest.mark.parametrize("count", ["", "0", "-1", "501", "many", "²", "9" * 5000])
def test_a_number_that_makes_no_sense_is_refused(
    browser: Browser, surroundings: Surroundings, count: str
) -> None:
    page = browser.change("/break/actions/readings", count=count).text
    assert "Readings: &#39;How many&#39; must be a number from 1 to 500." in page
    assert surroundings.runs == []


@pytest.mark.parametrize("mode", ["slow", "down", "well"])
def test_a_trouble_is_switched_and_the_page_shows_its_mode_and_effect(
    browser: Browser, surroundings: Surroundings, mode: str
) -> None:
    page = browser.change(f"/break/troubles/station/{mode}").text
    assert surroundings.modes["station"] == mode
    assert pressed(page) == {f"station-{mode}", "clock-well"}
    (effect,) = (each.effect for each in MODES if each.name == mode)
    assert effect in page


def test_the_message_of_an_action_is_shown(browser: Browser, surroundings: Surroundings) -> None:
    assert "A malformed reading is on the bus." in browser.change("/break/actions/malformed").text
    assert surroundings.runs == ["malformed"]


def test_a_broken_consumer_can_be_mended_and_a_paused_one_resumed(
    browser: Browser, switched: dict[str, str]
) -> None:
    page = browser.change(f"/break/consumers/{OTHER}/break").text
    assert switched == {OTHER: "break"}
    assert f"{OTHER} is broken: its role is denied DynamoDB" in page
    assert f'hx-post="/break/consumers/{OTHER}/mend"' in page
    assert f'hx-post="/break/consumers/{OTHER}/break"' not in page
    assert f'hx-post="/break/consumers/{PAUSED}/resume"' in page
    assert f'hx-post="/break/consumers/{ANOTHER}/pause"' in page


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            f"/break/consumers/{OTHER}/explode",
            "&#39;explode&#39; can&#39;t be done to a consumer. "
            "There are: break, mend, pause, resume.",
        ),
        (
            "/break/troubles/station/odd",
            "Weather station can&#39;t be &#39;odd&#39;: it can be well, slow, down.",
        ),
        ("/break/troubles/stations/down", "Did you mean &#39;station&#39;?"),
        ("/break/actions/odd", "There are: readings, malformed."),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(
    browser: Browser, path: str, message: str
) -> None:
    assert message in browser.change(path).text


def test_everything_is_repaired_at_once(
    browser: Browser, surroundings: Surroundings, switched: dict[str, str]
) -> None:
    surroundings.modes = {"station": "down", "clock": "late"}
    answer = browser.change("/break/repair")
    assert answer.headers["HX-Refresh"] == "true"
    assert surroundings.modes == {"station": "well", "clock": "well"}
    assert switched == dict.fromkeys(NAMES, "resume")


@pytest.mark.usefixtures("switched")
def test_a_console_that_can_not_reach_the_surroundings_can_still_break_consumers(
    browse: Open,
) -> None:
    browser = browse(stage="local", check=check)
    page = browser.get("/break").text
    assert "The console that `patchbay local` opens" in page
    assert f'hx-post="/break/consumers/{OTHER}/break"' in page
    page = browser.change("/break/actions/malformed").text
    assert "use the one that `patchbay local` opens" in page


@pytest.mark.usefixtures("switched")
def test_a_project_without_additions_can_break_its_consumers(browse: Open) -> None:
    page = browse(stage="local", check=check, additions=Additions()).get("/break").text
    assert "patchbay local" not in page
    assert f'hx-post="/break/consumers/{OTHER}/break"' in page


def test_nothing_is_broken_by_a_link(browser: Browser, surroundings: Surroundings) -> None:
    assert browser.get("/break/actions/malformed").status_code == 405
    assert browser.post("/break/actions/malformed").status_code == 403
    assert surroundings.runs == []


def test_the_projects_own_pages_are_in_the_navigation_and_their_text_is_escaped(
    browser: Browser,
) -> None:
    assert '<a href="/project/beds">Beds</a>' in browser.get("/break").text
    page = browser.get("/project/beds").text
    assert "Bed &lt;1&gt; is dry." in page
    assert '<a href="/project/beds" aria-current="page">Beds</a>' in page
    assert '<a href="/project/rows">Rows</a>' in page
    assert "<b>Row 1</b>" in browser.get("/project/rows").text
    assert browser.get("/project/sheds").status_code == 404
