"""Each mistake in a state machine's definition is reported before deployment.

Each test breaks one thing in a copy of the sample's definition.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from patchbay.topology.state_language import max_seconds, problems
from tests.patchbay.greenhouse import SAMPLE

TEXT = (SAMPLE / "functions/watering/workflow.asl.json").read_text()
NAMES = ("EventBusName", "Litres", "TanksTable", "ValveFunction")
Change = Callable[[dict[str, Any]], object]


def broken(change: Change) -> list[str]:
    """Return the problems of the definition after a change to it."""
    definition = copy.deepcopy(json.loads(TEXT))
    change(definition)
    return problems(json.dumps(definition), NAMES)


def state(definition: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = definition["States"][name]
    return found


def test_the_definition_of_the_sample_has_no_mistake() -> None:
    assert problems(TEXT, NAMES) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda it: it.update(QueryLanguage="JSONPath"),
            "Its QueryLanguage is not JSONata: set it.",
        ),
        (
            lambda it: it.pop("TimeoutSeconds"),
            "It has no TimeoutSeconds: an execution could hang for a year, unseen.",
        ),
        (
            lambda it: state(it, "Prepare").update(Type="Parallel"),
            "The state Prepare is of the type 'Parallel': use one of Choice, Fail, Pass, Succeed, "
            "Task, Wait.",
        ),
        (
            lambda it: it["States"].update(Forgotten={"Type": "Succeed"}),
            "The state Forgotten is never reached: have a state lead to it, or remove it.",
        ),
        (
            lambda it: state(it, "OpenValve").pop("TimeoutSeconds"),
            "The state OpenValve has no TimeoutSeconds: it would wait for an answer that is lost.",
        ),
        (
            lambda it: state(it, "OpenValve")["Retry"][0].pop("ErrorEquals"),
            "The state OpenValve has a Retry without ErrorEquals.",
        ),
        (
            lambda it: state(it, "PublishBedWatered").pop("Comment"),
            "The state PublishBedWatered has no Catch for States.ALL: add one, or say in its "
            "Comment why it may fail.",
        ),
        (
            lambda it: state(it, "PublishBedWatered").pop("Retry"),
            "The state PublishBedWatered has no Retry for States.ALL: the first transient "
            "error would fail it.",
        ),
        (
            lambda it: state(it, "PublishBedWatered")["Retry"][0].pop("JitterStrategy"),
            "The state PublishBedWatered retries States.ALL without JitterStrategy: "
            "executions that fail together would retry together.",
        ),
        (
            lambda it: state(it, "OpenValve")["Retry"].reverse(),
            "The state OpenValve must have States.ALL alone, and last, in its Retry.",
        ),
        (
            lambda it: state(it, "Prepare").update(Output="the {% $alert %}"),
            "/States/Prepare/Output is partly an expression: {% and %} must enclose all of it.",
        ),
        (
            lambda it: state(it, "Prepare").update({"Parameters": {"a.$": "$.a"}}),
            "/States/Prepare/Parameters/a.$ is JSONPath, and the machine's language is JSONata.",
        ),
        (
            lambda it: state(it, "Prepare").update(Comment="${Nobody}"),
            "It uses ${Nobody}, which has no value: add it to the substitutions.",
        ),
    ],
)
def test_a_mistake_is_the_only_problem_reported(change: Change, problem: str) -> None:
    assert broken(change) == [problem]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda it: state(it, "Prepare").update(Next="Elsewhere"),
            "The state Prepare leads to 'Elsewhere', which does not exist.",
        ),
        (
            lambda it: state(it, "WhyNotChecked")["Choices"][0].update(Next="Elsewhere"),
            "The state WhyNotChecked leads to 'Elsewhere', which does not exist.",
        ),
        (
            lambda it: state(it, "WhyNotChecked").update(Default="Elsewhere"),
            "The state WhyNotChecked leads to 'Elsewhere', which does not exist.",
        ),
        (
            lambda it: state(it, "CheckTank")["Catch"][0].update(Next="Elsewhere"),
            "The state CheckTank leads to 'Elsewhere', which does not exist.",
        ),
        (
            lambda it: state(it, "WhyNotChecked").pop("Default"),
            "The state WhyNotChecked has no Default: an input that fits no choice would "
            "fail the execution.",
        ),
        (
            lambda it: state(it, "PublishBedNotWatered").update(Next="PublishBedNotWatered"),
            "From the state PublishBedNotWatered, no path leads to an end.",
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_reported(change: Change, problem: str) -> None:
    assert problem in broken(change)


def test_an_invalid_expression_is_reported_with_its_place() -> None:
    (problem,) = broken(lambda it: state(it, "Prepare").update(Output="{% 1 + ( %}"))
    assert problem.startswith("/States/Prepare/Output is not valid JSONata: ")


def test_invalid_json_is_reported() -> None:
    (problem,) = problems(TEXT[:-3], NAMES)
    assert problem.startswith("It is not JSON: ")


def test_a_state_that_occurs_twice_is_reported() -> None:
    text = '{"States": {"A": {"Type": "Succeed"}, "A": {"Type": "Fail"}}}'
    assert problems(text, []) == ["It is not JSON: 'A' occurs twice."]


def test_an_unused_substitution_is_reported() -> None:
    assert problems(TEXT, (*NAMES, "Nothing")) == [
        "It never uses ${Nothing}: remove it from the substitutions."
    ]


def test_a_timeout_shorter_than_all_attempts_of_the_tasks_is_reported() -> None:
    (problem,) = broken(lambda it: it.update(TimeoutSeconds=600))
    assert problem.startswith("Its TimeoutSeconds is 600, and all attempts of its Tasks take up to")


def test_a_task_takes_at_most_its_attempts_and_the_waits_between_them() -> None:
    task = {
        "TimeoutSeconds": 10,
        "Retry": [{"IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 4, "MaxDelaySeconds": 5}],
    }
    assert max_seconds(task) == 5 * 10 + 1 + 2 + 4 + 5


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.pop("States"),
        lambda it: it.update(StartAt="Begin"),
        lambda it: state(it, "OpenValve").update(TimeoutSeconds="soon"),
    ],
)
def test_a_mistake_in_the_schema_is_left_to_cfn_lint(change: Change) -> None:
    assert broken(change) == []
