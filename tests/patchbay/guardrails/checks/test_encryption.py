"""Queues and topics are encrypted at rest, and accept requests over TLS only."""

from typing import Any

import pytest

from tests.patchbay.guardrails.broken import Broken


@pytest.mark.parametrize("setting", [False, None])
def test_a_queue_that_does_not_encrypt_is_found(setting: bool | None, dev: Broken) -> None:
    queue = dev.queue("alerts-dead-letters")
    del queue["SqsManagedSseEnabled"]
    queue |= {} if setting is None else {"SqsManagedSseEnabled": setting}
    dev.finds(
        "encryption",
        "Queue greenhouse-dev-alerts-dead-letters does not set its encryption, and its messages "
        "hold personal data. Set SqsManagedSseEnabled, or a KMS key.",
    )


def test_a_queue_may_have_a_key_instead(dev: Broken) -> None:
    queue = dev.queue("alerts")
    del queue["SqsManagedSseEnabled"]
    queue["KmsMasterKeyId"] = "alias/ours"
    assert dev.found() == []


def test_a_topic_without_a_key_is_found(dev: Broken) -> None:
    topic = dev.the("SNS::Topic", "alarms")
    del dev.resources("broker")[topic.id]["Properties"]["KmsMasterKeyId"]
    dev.finds(
        "encryption",
        "Topic greenhouse-dev-alarms has no KMS key: SNS would store its messages unencrypted. "
        "Set KmsMasterKeyId.",
    )


def test_a_queue_that_takes_requests_without_tls_is_found(dev: Broken) -> None:
    dev.policy("alerts").remove(
        next(each for each in dev.policy("alerts") if each["Effect"] == "Deny")
    )
    dev.finds(
        "tls",
        "Queue greenhouse-dev-alerts takes requests without TLS: its messages could be read in "
        "transit. Have its policy deny all where aws:SecureTransport is false "
        "(`enforce_ssl=True`).",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}},
        {"Principal": {"AWS": "111122223333"}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    ],
)
def test_only_a_denial_for_everyone_counts(change: dict[str, Any], dev: Broken) -> None:
    (denial,) = (each for each in dev.policy("alerts") if each["Effect"] == "Deny")
    denial |= change
    assert "tls" in [finding.id for finding in dev.found()]


def test_a_topic_that_takes_requests_without_tls_is_found(dev: Broken) -> None:
    (policy,) = dev.templates["greenhouse-dev-broker"].all("SNS::TopicPolicy")
    statements = policy.properties["PolicyDocument"]["Statement"]
    statements[:] = [each for each in statements if each["Effect"] == "Allow"]
    dev.finds(
        "tls",
        "Topic greenhouse-dev-alarms takes requests without TLS: its messages could be read in "
        "transit. Have its policy deny all where aws:SecureTransport is false "
        "(`enforce_ssl=True`).",
    )
