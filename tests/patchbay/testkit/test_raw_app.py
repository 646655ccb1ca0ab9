"""The kit runs a CDK app that is built without Patchbay's constructs."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from patchbay.testkit import Cloud, Fault, NotInTheKit, Templates
from patchbay.testkit.faults import Action
from patchbay.testkit.running.code import load
from tests.patchbay.testkit.raw_assembly import APP, assembly


class Succeeds(Fault):
    """The handler does nothing, and succeeds."""

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        pass


TOPIC = "arn:aws:sns:us-east-1:123456789012:{}"


@pytest.fixture(scope="module")
def raw() -> Templates:
    return Templates.from_assembly(assembly(), values={"Unknown": "known"})


@pytest.fixture
def cloud(raw: Templates) -> Iterator[Cloud]:
    with Cloud(raw) as deployed:
        yield deployed


def test_an_event_is_routed_retried_on_virtual_time_and_finally_a_dead_letter() -> None:
    templates = Templates.from_assembly(assembly())
    with Cloud(templates) as cloud:
        good = cloud.put("greenhouse.sensors", "Dry", {"bed": 1}, bus="default")
        cloud.settle()
        bad = cloud.put("greenhouse.sensors", "Dry", {"ask": "fail"}, bus="default")
        cloud.put("greenhouse.elsewhere", "Dry", {"bed": 1}, bus="default")
        cloud.settle()
        assert cloud.handled("Worker") == [good]
        assert cloud.dead_letters("Worker").causes == [bad]
        assert cloud.dead_letters("Worker").reasons == ["ValueError: the pump is stuck"]
        assert cloud.now - cloud.start == timedelta(seconds=90)  # three receives, 30 s apart


def ask(cloud: Cloud, what: str) -> None:
    cloud.put("greenhouse.sensors", "Dry", {"ask": what}, bus="default")
    cloud.settle()


def test_a_function_imports_from_its_layer_and_its_log_can_be_read(cloud: Cloud) -> None:
    ask(cloud, "nothing")
    (line,) = cloud.logs("Worker")
    assert line["message"].startswith("[INFO]\twatered, bed Prod-Beds-Worker")


def test_a_function_reads_a_secret_of_the_template_or_of_the_test(
    cloud: Cloud,
) -> None:
    ask(cloud, "secret")
    cloud.secret("ApiKey", {"token": "t"})
    ask(cloud, "secret")
    made, given = (line["value"] for line in cloud.logs("Worker", "secret"))
    assert len(made) == 32
    assert json.loads(given) == {"token": "t"}


def test_a_function_reads_a_parameter_of_the_template_or_of_the_test(
    cloud: Cloud,
) -> None:
    ask(cloud, "parameter")
    cloud.parameter("Limit", "8")
    ask(cloud, "parameter")
    assert [line["value"] for line in cloud.logs("Worker", "parameter")] == ["7", "8"]


def test_a_parameter_that_the_role_does_not_allow_is_denied(cloud: Cloud) -> None:
    cloud.parameter("/not/granted", "x")
    ask(cloud, "forbidden")
    (reason,) = cloud.dead_letters("Worker").reasons
    assert "is not authorized to perform: ssm:GetParameter" in str(reason)


def test_a_table_is_called_by_its_constructs_id(cloud: Cloud) -> None:
    ask(cloud, "write")
    assert cloud.table("Log") == [{"id": "1"}]


def test_a_resource_that_the_kit_does_not_simulate_is_named_when_it_is_used(cloud: Cloud) -> None:
    with pytest.raises(NotInTheKit) as refused:
        ask(cloud, "cache")
    text = str(refused.value)
    assert "RedisEndpoint.Address of Cache (AWS::ElastiCache::CacheCluster)" in text
    assert "in stack Prod-Beds" in text
    assert "test it on the embedded cloud or on AWS" in text


def test_a_function_that_an_event_invokes_has_two_retries(cloud: Cloud) -> None:
    event = cloud.put("greenhouse.weather", "FrostWarned", {})
    cloud.settle()
    assert cloud.dead_letters("Fails").causes == [event]
    assert cloud.dead_letters("Fails").reasons == ["ValueError: no water"]
    assert cloud.now - cloud.start == timedelta(minutes=3)
    assert "Fails: in the dead-letter queue" in cloud.history()


def test_an_event_that_succeeds_in_a_retry_is_no_dead_letter(cloud: Cloud) -> None:
    event = cloud.put("greenhouse.weather", "FrostWarned", {})
    cloud.advance(seconds=30)
    cloud.break_("Fails", with_=Succeeds())
    cloud.settle()
    assert cloud.handled("Fails") == [event]
    assert cloud.dead_letters("Fails") == ()


def test_a_topic_delivers_its_messages_to_queues_and_functions(cloud: Cloud) -> None:
    (topic,) = [each.name for each in cloud._system.templates.all("AWS::SNS::Topic")]
    cloud.client("sns").publish(TopicArn=TOPIC.format(topic), Message="hot")
    cloud.settle()
    assert cloud.messages("Raw") == ["hot"]
    (event,) = cloud.logs("Prints")
    assert event["Records"][0]["Sns"]["Message"] == "hot"
    (answer,) = cloud.messages("Printed")
    assert json.loads(answer)["requestContext"]["condition"] == "Success"


def test_a_rule_with_a_schedule_runs_when_the_clock_reaches_it(cloud: Cloud) -> None:
    cloud.settle()
    assert cloud.now == cloud.start
    cloud.advance(days=1)
    (event,) = cloud.logs("Prints")
    assert event["detail-type"] == "Scheduled Event"
    assert event["time"] == datetime(2026, 1, 1, 3, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_target_with_its_own_input_is_refused_when_an_event_reaches_it(cloud: Cloud) -> None:
    cloud.put("greenhouse.weather", "Changed", {})
    with pytest.raises(NotInTheKit, match="InputPath"):
        cloud.settle()


def test_references_to_other_stacks_and_to_nested_ones_are_resolved(raw: Templates) -> None:
    jobs = "https://sqs.us-east-1.amazonaws.com/123456789012/Prod-Beds-Jobs"
    assert raw.function_called("Prints").environment["JOBS"].startswith(jobs)
    assert raw.function_called("Deep").environment["JOBS"].startswith(jobs)
    assert raw.function_called("Prints").environment["REGION_NAME"] == "north"


def test_a_function_with_an_unknown_value_is_refused_when_it_is_invoked() -> None:
    unknown = r"variable UNKNOWN.*values=\{\"Unknown\": …\}"
    with (
        Cloud(Templates.from_assembly(assembly())) as cloud,
        pytest.raises(NotInTheKit, match=unknown),
    ):
        cloud.advance(days=1)


def test_a_cdk_stage_is_chosen_by_its_name() -> None:
    templates = Templates.from_assembly(assembly(), stage="Prod", stacks=["Prod-Beds"])
    assert set(templates.bodies) == {"Prod-Beds"}


def test_code_is_compiled_under_the_path_of_the_projects_file(raw: Templates) -> None:
    worker = raw.function_called("Worker")
    code = load(worker.asset, worker.handler, worker.environment, worker.layers)
    assert code.handler.__code__.co_filename == str(APP.parent / "worker" / "index.py")


def test_a_schedule_that_the_kit_does_not_simulate_is_named_when_it_is_due(raw: Templates) -> None:
    schedule = {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": "rate(1 hour)",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
            "Target": {"Arn": "arn:aws:lambda:us-east-1:1:function:x", "RoleArn": "arn:x"},
        },
    }
    beds = {**raw.bodies["Prod-Beds"]["Resources"], "Hourly": schedule}
    with Cloud(raw.with_bodies({"Prod-Beds": {"Resources": beds}})) as cloud:
        cloud.settle()
        with pytest.raises(NotInTheKit, match="flexible time window"):
            cloud.advance(hours=2)
