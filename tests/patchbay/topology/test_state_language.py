"""A state machine's definition, broken: what is wrong is said in a sentence, before it is deployed.

Each test breaks one thing in a copy of the real definition.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from patchbay.project.root import ROOT
from patchbay.topology.state_language import problems, seconds_of_trying

TEXT = (ROOT / "functions/fulfilment/workflow.asl.json").read_text()
NAMES = ("EventBusName", "ParcelsTable", "ShippingFunction", "StockTable", "WarehouseHolds")
Change = Callable[[dict[str, Any]], object]


def broken(change: Change) -> list[str]:
    """What is found wrong with the real definition after a change to it."""
    definition = copy.deepcopy(json.loads(TEXT))
    change(definition)
    return problems(json.dumps(definition), NAMES)


def state(definition: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = definition["States"][name]
    return found


def test_the_definition_of_the_shop_will_do() -> None:
    assert problems(TEXT, NAMES) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda it: it.pop("States"), "It has no States."),
        (
            lambda it: it.update(QueryLanguage="JSONPath"),
            "It does not say that it is in JSONata: set its QueryLanguage.",
        ),
        (
            lambda it: it.pop("TimeoutSeconds"),
            "It has no TimeoutSeconds: an execution that hangs would do so for a year, unseen.",
        ),
        (lambda it: it.update(StartAt="Begin"), "It starts at 'Begin', which is no state of it."),
        (
            lambda it: state(it, "Prepare").update(End=True),
            "The state Prepare must have either Next or End, and has both or neither.",
        ),
        (
            lambda it: state(it, "Prepare").update(Type="Parallel"),
            "The state Prepare is of the type 'Parallel': there are Choice, Fail, Pass, Succeed, "
            "Task, Wait.",
        ),
        (
            lambda it: it["States"].update(Forgotten={"Type": "Succeed"}),
            "The state Forgotten is never reached: have a state lead to it, or remove it.",
        ),
        (
            lambda it: state(it, "ArrangeShipping").pop("TimeoutSeconds"),
            "The state ArrangeShipping has no TimeoutSeconds: an answer that is lost would be "
            "waited for.",
        ),
        (
            lambda it: state(it, "ArrangeShipping").pop("Resource"),
            "The state ArrangeShipping names no Resource.",
        ),
        (
            lambda it: state(it, "PublishOrderShipped").pop("Comment"),
            "The state PublishOrderShipped has no Catch for States.ALL: add one, or say in its "
            "Comment why it may fail.",
        ),
        (
            lambda it: state(it, "PublishOrderShipped").pop("Retry"),
            "The state PublishOrderShipped has no Retry for States.ALL: the first hiccup would "
            "fail it.",
        ),
        (
            lambda it: state(it, "PublishOrderShipped")["Retry"][0].pop("JitterStrategy"),
            "The state PublishOrderShipped tries again after States.ALL without JitterStrategy: "
            "executions that fail together would come back together.",
        ),
        (
            lambda it: state(it, "ArrangeShipping")["Retry"].reverse(),
            "The state ArrangeShipping must have States.ALL alone, and last, in its Retry.",
        ),
        (
            lambda it: state(it, "Prepare").update(Output="the {% $order %}"),
            "/States/Prepare/Output is an expression in part: {% and %} must be around the whole "
            "of it.",
        ),
        (
            lambda it: state(it, "Prepare").update({"Parameters": {"a.$": "$.a"}}),
            "/States/Prepare/Parameters/a.$ is JSONPath, and the machine's language is JSONata.",
        ),
        (
            lambda it: state(it, "Prepare").update(Comment="${Nobody}"),
            "It uses ${Nobody}, for which there is no value: add it to the substitutions.",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_else(change: Change, problem: str) -> None:
    assert broken(change) == [problem]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda it: state(it, "Prepare").update(Next="Elsewhere"),
            "The state Prepare leads to 'Elsewhere', which is no state of it.",
        ),
        (
            lambda it: state(it, "WhyNotReserved")["Choices"][0].update(Next="Elsewhere"),
            "The state WhyNotReserved leads to 'Elsewhere', which is no state of it.",
        ),
        (
            lambda it: state(it, "WhyNotReserved").update(Default="Elsewhere"),
            "The state WhyNotReserved leads to 'Elsewhere', which is no state of it.",
        ),
        (
            lambda it: state(it, "ReserveStock")["Catch"][1].update(Next="Elsewhere"),
            "The state ReserveStock leads to 'Elsewhere', which is no state of it.",
        ),
        (
            lambda it: state(it, "WaitToReserve").pop("Next"),
            "The state WaitToReserve must have either Next or End, and has both or neither.",
        ),
        (
            lambda it: state(it, "WhyNotReleased").pop("Default"),
            "The state WhyNotReleased has no Default: what fits no choice would fail the "
            "execution.",
        ),
        (
            lambda it: state(it, "PublishOrderUnfulfillable").update(Next="ReleaseStock"),
            "From the state ReleaseStock, no way leads to an end.",
        ),
    ],
)
def test_a_way_that_leads_nowhere_is_said(change: Change, problem: str) -> None:
    assert problem in broken(change)


def test_an_expression_that_does_not_parse_is_said_with_its_place() -> None:
    (problem,) = broken(lambda it: state(it, "WaitToReserve").update(Seconds="{% 1 + ( %}"))
    assert problem.startswith("/States/WaitToReserve/Seconds is no JSONata: ")


def test_a_text_that_is_no_json_is_said() -> None:
    (problem,) = problems(TEXT[:-3], NAMES)
    assert problem.startswith("It is no JSON: ")


def test_a_state_that_is_there_twice_is_said() -> None:
    text = '{"States": {"A": {"Type": "Succeed"}, "A": {"Type": "Fail"}}}'
    assert problems(text, []) == ["It is no JSON: 'A' is there twice."]


def test_a_value_that_nothing_asks_for_is_said() -> None:
    assert problems(TEXT, (*NAMES, "Nothing")) == [
        "It never uses ${Nothing}: remove it from the substitutions."
    ]


def test_a_machine_that_ends_before_its_tasks_have_given_up_is_said() -> None:
    (problem,) = broken(lambda it: it.update(TimeoutSeconds=600))
    assert problem.startswith("Its TimeoutSeconds are 600, and all its Tasks' attempts take up to")


def test_a_task_takes_at_most_its_attempts_and_the_waits_between_them() -> None:
    task = {
        "TimeoutSeconds": 10,
        "Retry": [{"IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 4, "MaxDelaySeconds": 5}],
    }
    assert seconds_of_trying(task) == 5 * 10 + 1 + 2 + 4 + 5
