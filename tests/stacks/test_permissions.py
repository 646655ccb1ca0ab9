"""Permissions: each function and state machine has those that it needs, and no others."""

import pytest

from patchbay.project.naming import bus_name
from patchbay.topology.consumers import consumers
from patchbay.topology.template import listed, texts
from tests.stacks.conftest import Templates

STAGES = ("local", "dev", "prod")
# They know no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCES = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "dynamodb:ListStreams",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_publisher_has_the_name_of_the_systems_bus(templates: Templates, stage: str) -> None:
    for template in templates(stage).values():
        for function in template.all("Lambda::Function"):
            variables = function.properties["Environment"]["Variables"]
            assert variables.get("EVENT_BUS_NAME", bus_name(stage)) == bus_name(stage)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_on_aws_every_action_with_resource_permissions_names_its_resources(
    templates: Templates, stage: str
) -> None:
    for template in templates(stage).values():
        for policy in template.all("IAM::Policy"):
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                assert "NotResource" not in statement
                named = [
                    "".join(texts(resource)).removesuffix("/*")  # what a folder of a bucket holds
                    for resource in listed(statement["Resource"])
                ]
                if "*" in "".join(named):
                    assert set(listed(statement["Action"])) <= WITHOUT_RESOURCES


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_has_a_role_of_its_own_without_managed_policies(
    templates: Templates, stage: str
) -> None:
    for template in templates(stage).values():
        for role in template.all("IAM::Role"):
            assert "ManagedPolicyArns" not in role.properties
        roles = [template.at(each.properties["Role"]) for each in template.all("Lambda::Function")]
        assert len(roles) == len({role.id for role in roles})
        for role in roles:
            assert role.properties["AssumeRolePolicyDocument"]["Statement"] == [
                {
                    "Action": "sts:AssumeRole",
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }
            ]


@pytest.mark.parametrize("stage", STAGES)
def test_the_role_of_a_state_machine_is_for_that_state_machine_alone(
    templates: Templates, stage: str
) -> None:
    for template in templates(stage).values():
        for machine in template.all("StepFunctions::StateMachine"):
            role = template.at(machine.properties["RoleArn"])
            (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Principal"] == {"Service": "states.amazonaws.com"}
            source = "".join(texts(trust["Condition"]["ArnEquals"]["aws:SourceArn"]))
            assert source.endswith(f":stateMachine:{machine.name}")


@pytest.mark.parametrize("stage", STAGES)
def test_a_consumer_reads_its_own_queue_and_no_other(templates: Templates, stage: str) -> None:
    for consumer in consumers(templates(stage)):
        read = [
            statement["Resource"]
            for statement in consumer.template.statements(consumer.function)
            if "sqs:ReceiveMessage" in listed(statement["Action"])
        ]
        assert read == [consumer.queue.arn]


@pytest.mark.parametrize("stage", STAGES)
def test_an_alarm_reaches_the_topic(templates: Templates, stage: str) -> None:
    broker = templates(stage)[f"{bus_name(stage)}-broker"]
    (policy,) = broker.all("SNS::TopicPolicy")
    (topic,) = broker.all("SNS::Topic")
    allowed = [
        statement
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert [(s["Principal"], s["Action"], s["Resource"]) for s in allowed] == [
        ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish", topic.ref)
    ]
    key = broker.at(topic.properties["KmsMasterKeyId"])
    users = [statement["Principal"] for statement in key.properties["KeyPolicy"]["Statement"]]
    assert {"Service": "cloudwatch.amazonaws.com"} in users


def test_a_mailer_may_send_as_the_address_of_its_sender_whatever_its_name(
    templates: Templates,
) -> None:
    allowed = [
        "".join(texts(resource)).rpartition(":identity/")[2]
        for template in templates("prod").values()
        for policy in template.all("IAM::Policy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "ses:SendEmail" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    assert sorted(allowed) == ["records.example", "shop@records.example"]
