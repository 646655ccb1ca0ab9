"""Random schedules on the sample project: a violation of an invariant is found and shortened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from patchbay.testkit.cloud import Cloud
from patchbay.testkit.exactly_once.schedule import Break, Step
from patchbay.testkit.exactly_once.search import breakable, search
from patchbay.testkit.invariants import Invariants
from patchbay.testkit.templates import Templates
from tests.patchbay.greenhouse import assembly


@dataclass(frozen=True)
class Read:
    """A sensor measures the temperature of its bed."""

    celsius: float

    def __call__(self, cloud: Cloud) -> None:
        taken_at = cloud.now.isoformat()
        reading = {"sensor_id": "north", "celsius": self.celsius, "taken_at": taken_at}
        assert cloud.request("POST", "/readings", reading).status == 201


class OneAlertForAReading(Invariants[Cloud]):
    """Each hot reading raises one alert."""

    def actions(self) -> Sequence[Read]:
        return [Read(20.5), Read(41.5)]

    def broken(self, cloud: Cloud) -> Iterator[str]:
        hot = {each.id for each in cloud.published("ReadingTaken") if each.data["celsius"] > 35}
        alerts = {each.id for each in cloud.published("AlertRaised")}
        if len(alerts) != len(hot):
            yield f"{len(hot)} hot readings raised {len(alerts)} alerts"


class NoAlertAtAll(OneAlertForAReading):
    """An invariant that does not hold."""

    def broken(self, cloud: Cloud) -> Iterator[str]:
        if cloud.published("AlertRaised"):
            yield "there is an alert"


@pytest.fixture
def templates(greenhouse: None) -> Templates:
    return Templates.from_assembly(assembly("dev"), stage="dev")


def test_each_event_has_its_effect_once_under_any_faults(templates: Templates) -> None:
    functions = ["alerts", "notes", "sensors-outbox"]
    search(templates, OneAlertForAReading(), examples=15, functions=functions)


def test_a_broken_invariant_is_found_with_the_shortest_schedule(
    templates: Templates,
) -> None:
    failing: list[list[Step]] = []
    with pytest.raises(AssertionError, match="there is an alert"):
        search(
            templates, NoAlertAtAll(), examples=50, functions=["alerts"],
            on_failure=failing.append,
        )  # fmt: skip
    assert failing[-1] == [Read(41.5)]
    assert not any(isinstance(step, Break) for step in failing[-1])


def test_a_function_that_responds_to_requests_gets_no_fault(templates: Templates) -> None:
    found = breakable(templates)
    assert {"alerts", "notes", "sensors-outbox", "watering"} <= set(found)
    assert not {"sensors-api", "climate-api"} & set(found)
