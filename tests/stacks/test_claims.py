"""The bucket of claims, and the permissions for it."""

import pytest

from patchbay.constructs.event_bus import ARCHIVED_FOR
from patchbay.constructs.queues import DEAD_LETTER_RETENTION
from patchbay.events.claim import KEPT_FOR
from patchbay.project.naming import named
from patchbay.topology.routes import routes
from patchbay.topology.template import Template, listed, texts
from tests.stacks.conftest import Templates

STAGES = ("local", "dev", "prod")


def folders(template: Template, function: str, action: str) -> set[str]:
    """The folders of the bucket in which a function may do that."""
    (found,) = (each for each in template.all("Lambda::Function") if each.name == function)
    return {
        "".join(texts(resource)).partition("AWS::Region/")[2]
        for statement in template.statements(found)
        if action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.mark.parametrize("stage", STAGES)
def test_the_bucket_is_private_and_encrypted_and_its_objects_expire_after_the_last_redrive(
    templates: Templates, stage: str
) -> None:
    (bucket,) = templates(stage)[named(stage, "broker")].all("S3::Bucket")
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
    (encryption,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (rule,) = bucket.properties["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] == KEPT_FOR.days
    assert KEPT_FOR.days > ARCHIVED_FOR.to_days() + DEAD_LETTER_RETENTION.to_days()
    assert bucket.body["DeletionPolicy"] == ("Retain" if stage == "prod" else "Delete")


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_reaches_the_bucket_but_over_tls(templates: Templates, stage: str) -> None:
    broker = templates(stage)[named(stage, "broker")]
    (bucket,) = broker.all("S3::Bucket")
    (statement,) = broker.policy_of(bucket)
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("stage", STAGES)
def test_a_function_can_only_access_the_claims_of_events_that_it_publishes_or_consumes(
    templates: Templates, stage: str
) -> None:
    may_put: dict[tuple[str, str], set[str]] = {}
    may_get: dict[tuple[str, str], set[str]] = {}
    for route in routes(templates(stage)):
        folder = f"{route.event.source()}/{route.event.detail_type()}/*"
        kind = "Lambda::Function"
        functions = (each for each in route.publishers if each.resource.kind == kind)
        for publisher in functions:
            key = (publisher.resource.stack, publisher.resource.name)
            may_put.setdefault(key, set()).add(folder)
        for subscription in route.own_subscriptions:
            key = (subscription.function.stack, subscription.function.name)
            may_get.setdefault(key, set()).add(folder)
    for stack, template in templates(stage).items():
        for function in template.all("Lambda::Function"):
            key = (stack, function.name)
            assert folders(template, function.name, "s3:PutObject") == may_put.get(key, set())
            assert folders(template, function.name, "s3:GetObject") == may_get.get(key, set())
            assert folders(template, function.name, "s3:ListBucket") == set()
    assert may_put
