"""State machines in the kit run as AWS's guide to Step Functions describes.

Retry and Catch: "Handling errors in Step Functions workflows". Assign: "Passing data between states
with variables". Names: StartExecution, in the API reference.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from patchbay.project.naming import named
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.states.execution import Execution
from patchbay.testkit.states.state_faults import Fails, Hangs
from tests.patchbay.testkit.small import ALL, at, resource, role, small

ARN = f"arn:aws:states:us-east-1:123456789012:stateMachine:{named('test', 'machine')}"
INVOKE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Arguments": {"FunctionName": "${Function}", "Payload": {"Records": []}},
    "End": True,
}
DONE = {"Type": "Succeed"}


@contextmanager
def machine(
    folder: Path, states: dict[str, Any], *, rights: dict[str, Any] = ALL, **top: Any
) -> Iterator[Cloud]:
    """Return a cloud with a state machine `machine`, which starts at the first of these states."""
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    changes = {
        "MachineRole": role(rights, service="states.amazonaws.com"),
        "Machine": resource(
            "StepFunctions::StateMachine",
            StateMachineName=named("test", "machine"),
            RoleArn=at("MachineRole"),
            DefinitionString=json.dumps(definition | top),
            DefinitionSubstitutions={"Function": at("Function")},
        ),
    }
    with Cloud(small(folder, changes=changes)) as cloud:
        yield cloud


def test_a_state_machine_that_the_kit_can_not_run_is_named_when_it_starts(
    tmp_path: Path,
) -> None:
    with machine(tmp_path, {"A": {"Type": "Pass", "End": True}}, QueryLanguage="JSONPath") as cloud:
        cloud.send("worker", "anything else works")
        cloud.settle()
        with pytest.raises(NotInTheKit, match="is in JSONPath"):
            start(cloud)


def start(cloud: Cloud, input: Any = None, name: str = "one") -> Execution:
    states: Any = boto3.client("stepfunctions", region_name="us-east-1")
    text = json.dumps(input if input is not None else {})
    states.start_execution(stateMachineArn=ARN, name=name, input=text)
    return cloud.executions("machine")[-1]


def run(folder: Path, states: dict[str, Any], input: Any = None, **top: Any) -> Execution:
    """Run an execution to its end."""
    with machine(folder, states, **top) as cloud:
        execution = start(cloud, input)
        cloud.settle()
        return execution


def retrying(**retrier: Any) -> dict[str, Any]:
    return {**INVOKE, "Retry": [{"ErrorEquals": ["States.ALL"], **retrier}]}


def test_a_states_output_is_its_input_by_default(tmp_path: Path) -> None:
    states = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Pass", "Output": {"b": "{% $states.input.a + 1 %}"}, "Next": "C"},
        "C": DONE,
    }
    execution = run(tmp_path, states, {"a": 1})
    assert (execution.status, execution.output) == ("SUCCEEDED", {"b": 2})
    assert execution.states == ["A", "B", "C"]


def test_variables_are_assigned_at_once_and_are_seen_by_the_next_state(tmp_path: Path) -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"x": "{% $y %}", "y": "{% $x %}"}, "Next": "C"},
        "C": {"Type": "Succeed", "Output": {"x": "{% $x %}", "y": "{% $y %}"}},
    }
    assert run(tmp_path, states).output == {"x": 2, "y": 1}


def test_the_first_choice_that_matches_counts_or_the_default(tmp_path: Path) -> None:
    states = {
        "A": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input > 1 %}", "Next": "Big"},
                {"Condition": "{% $states.input > 0 %}", "Assign": {"n": 1}, "Next": "Small"},
            ],
            "Default": "None",
        },
        "Big": DONE,
        "Small": DONE,
        "None": DONE,
    }
    assert [run(tmp_path, states, number).states[-1] for number in (2, 1, 0)] == [
        "Big", "Small", "None",
    ]  # fmt: skip


@pytest.mark.parametrize("expression", ["$states.input.missing", "$nobody", "1 + 'a'", "$error()"])
def test_an_expression_that_returns_nothing_fails_the_execution(
    expression: str, tmp_path: Path
) -> None:
    states = {"A": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}
    execution = run(tmp_path, states)
    assert (execution.status, execution.error) == ("FAILED", "States.QueryEvaluationError")


def test_null_is_a_value(tmp_path: Path) -> None:
    states = {"A": {"Type": "Pass", "Output": {"a": "{% $states.input.a %}"}, "End": True}}
    assert run(tmp_path, states, {"a": None}).output == {"a": None}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$hash('a', 'SHA-1')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("$parse('{\"a\": 1}').a", 1),
        ("$now()", "2026-01-01T00:00:00.000Z"),
        ("$millis()", 1767225600000),
        ("$range(0, 4, 2)", [0, 2, 4]),
        ("$partition([1, 2, 3], 2)", [[1, 2], [3]]),
        ("$length($uuid())", 36),
        ("$states.context.Execution.Name", "one"),
        ("$states.context.StateMachine.Name", named("test", "machine")),
        ("$states.context.State.Name", "A"),
    ],
)
def test_the_functions_that_step_functions_adds_to_jsonata_work(
    expression: str, value: Any, tmp_path: Path
) -> None:
    states = {"A": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}
    assert run(tmp_path, states).output == value


def test_waiting_takes_virtual_time(tmp_path: Path) -> None:
    states = {
        "A": {"Type": "Wait", "Seconds": "{% $states.input %}", "Next": "B"},
        "B": {"Type": "Wait", "Timestamp": "2026-01-01T01:00:00Z", "Next": "C"},
        "C": DONE,
    }
    with machine(tmp_path, states) as cloud:
        execution = start(cloud, 60)
        cloud.advance(seconds=61)
        assert execution.states == ["A", "B"]
        cloud.settle()
        assert cloud.now - cloud.start == timedelta(hours=1)


def test_a_fail_state_has_its_error_and_cause(tmp_path: Path) -> None:
    execution = run(tmp_path, {"A": {"Type": "Fail", "Error": "No", "Cause": "{% 'so' %}"}})
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "No", "so")


def test_a_retrier_waits_longer_each_time_up_to_its_limit(tmp_path: Path) -> None:
    state = retrying(IntervalSeconds=1, BackoffRate=2, MaxAttempts=5, MaxDelaySeconds=5)
    with machine(tmp_path, {"A": state}) as cloud:
        cloud.break_state("machine", "A", with_="Lambda.ServiceException")
        execution = start(cloud)
        cloud.settle()
        assert execution.errors("A") == ["Lambda.ServiceException"] * 6
        assert execution.status == "FAILED"
        assert cloud.now - cloud.start == timedelta(seconds=1 + 2 + 4 + 5 + 5)


def test_full_jitter_waits_for_a_random_time_up_to_the_interval(tmp_path: Path) -> None:
    state = retrying(IntervalSeconds=100, MaxAttempts=1, JitterStrategy="FULL")
    with machine(tmp_path, {"A": state}) as cloud:
        cloud.break_state("machine", "A", with_="Lambda.ServiceException")
        for name in ("one", "two"):
            start(cloud, name=name)
        cloud.settle()
        ends = {execution.ended for execution in cloud.executions("machine")}
        assert len(ends) == 2
        assert timedelta(0) < cloud.now - cloud.start < timedelta(seconds=100)


def test_only_the_first_retrier_for_an_error_counts(tmp_path: Path) -> None:
    state = {
        **INVOKE,
        "Retry": [
            {"ErrorEquals": ["Never"], "MaxAttempts": 0},
            {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2},
        ],
    }
    with machine(tmp_path, {"A": state}) as cloud:
        cloud.break_state("machine", "A", with_="Never")
        execution = start(cloud)
        cloud.settle()
        assert execution.errors("A") == ["Never"]


def test_a_catcher_receives_the_error_and_sets_the_next_state(tmp_path: Path) -> None:
    state = {
        **INVOKE,
        "Catch": [
            {
                "ErrorEquals": ["ValueError"],
                "Assign": {"why": "{% $parse($states.errorOutput.Cause).errorMessage %}"},
                "Output": "{% $states.errorOutput.Error %}",
                "Next": "B",
            }
        ],
    }
    with machine(
        tmp_path,
        {"A": state, "B": {"Type": "Succeed", "Output": "{% [$states.input, $why] %}"}},
    ) as cloud:
        cloud.break_("worker", with_=ValueError("too bad"))
        execution = start(cloud)
        cloud.settle()
        assert execution.output == ["ValueError", "too bad"]


@pytest.mark.parametrize(
    ("named", "error", "is_caught"),
    [
        ("States.ALL", "States.Timeout", True),
        ("States.ALL", "States.Runtime", False),
        ("States.ALL", "States.DataLimitExceeded", False),
        ("States.TaskFailed", "Lambda.ServiceException", True),
        ("States.TaskFailed", "States.Timeout", False),
        ("ValueError", "KeyError", False),
    ],
)
def test_the_reserved_error_names_match_their_errors(
    named: str, error: str, is_caught: bool, tmp_path: Path
) -> None:
    state = {**INVOKE, "Catch": [{"ErrorEquals": [named], "Next": "B"}]}
    with machine(tmp_path, {"A": state, "B": DONE}) as cloud:
        cloud.break_state("machine", "A", with_=Fails(error))
        execution = start(cloud)
        cloud.settle()
        assert (execution.status == "SUCCEEDED") is is_caught


def test_a_task_that_takes_too_long_times_out(tmp_path: Path) -> None:
    with machine(tmp_path, {"A": {**INVOKE, "TimeoutSeconds": 7}}) as cloud:
        cloud.break_state("machine", "A", with_=Hangs())
        execution = start(cloud)
        cloud.settle()
        assert execution.error == "States.Timeout"
        assert cloud.now - cloud.start == timedelta(seconds=7)


def test_an_execution_that_takes_too_long_times_out_in_any_state(tmp_path: Path) -> None:
    states = {"A": {"Type": "Wait", "Seconds": 3600, "Next": "B"}, "B": DONE}
    with machine(tmp_path, states, TimeoutSeconds=60) as cloud:
        execution = start(cloud)
        cloud.settle()
        assert (execution.status, execution.states) == ("TIMED_OUT", ["A"])
        assert cloud.now - cloud.start == timedelta(minutes=1)


def test_a_task_may_do_only_what_its_machines_role_allows(tmp_path: Path) -> None:
    rights = {"Effect": "Allow", "Action": "lambda:GetFunction", "Resource": "*"}
    execution = run(tmp_path, {"A": INVOKE}, rights=rights)
    assert execution.error == "Lambda.AWSLambdaException"
    assert "is not authorized to perform: lambda:InvokeFunction" in str(execution.cause)


def test_a_name_can_be_used_again_only_for_the_same_running_execution(tmp_path: Path) -> None:
    states = {"A": {"Type": "Wait", "Seconds": 60, "Next": "B"}, "B": DONE}
    with machine(tmp_path, states) as cloud:
        first = start(cloud, 1)
        assert start(cloud, 1) is first
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            start(cloud, 2)
        cloud.settle()
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            start(cloud, 1)
        assert start(cloud, 1, name="two") is not first


def test_an_execution_is_redriven_from_where_it_failed(tmp_path: Path) -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"a": 1}, "Output": "kept", "Next": "B"},
        "B": {**INVOKE, "Output": "{% [$states.input, $a] %}"},
    }
    with machine(tmp_path, states) as cloud:
        cloud.break_state("machine", "B", with_="Lambda.ServiceException", times=1)
        execution = start(cloud)
        cloud.settle()
        assert execution.status == "FAILED"

        assert cloud.redrive_executions("machine") == 1
        cloud.settle()
        assert (execution.states, execution.output) == (["A", "B", "B"], ["kept", 1])


def test_the_history_has_the_executions(tmp_path: Path) -> None:
    with machine(tmp_path, {"A": {"Type": "Fail", "Error": "No"}}) as cloud:
        start(cloud)
        cloud.settle()
        assert "1 executions were started." in cloud.history()
        assert "one FAILED, No: None: A" in cloud.history()


def test_an_unsupported_state_or_language_is_named(tmp_path: Path) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}
    with pytest.raises(NotInTheKit, match="sqs:sendMessage"):
        run(tmp_path, {"A": task})
    with pytest.raises(NotInTheKit, match=r"The state A of .* is a Map"):
        run(tmp_path, {"A": {"Type": "Map", "ItemProcessor": {}, "End": True}})
    with pytest.raises(NotInTheKit, match="is in JSONPath"):
        run(tmp_path, {"A": DONE}, QueryLanguage="JSONPath")


def test_a_definition_without_a_value_is_not_deployable(tmp_path: Path) -> None:
    with pytest.raises(NotDeployable, match=r"has no value for \$\{Nobody\}"):
        run(tmp_path, {"A": {"Type": "Pass", "Output": "${Nobody}", "End": True}})


def test_an_unknown_state_or_machine_can_not_be_broken(tmp_path: Path) -> None:
    with machine(tmp_path, {"A": INVOKE}) as cloud:
        with pytest.raises(LookupError, match="There is no state machine 'other'"):
            cloud.executions("other")
        with pytest.raises(LookupError, match=r"machine has no Task 'B': it has \['A'\]"):
            cloud.break_state("machine", "B", with_="No")
