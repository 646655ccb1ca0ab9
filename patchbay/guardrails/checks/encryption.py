"""What is stored is encrypted, and what travels too.

Tables, log groups, the bus and its archive have no place here: AWS encrypts each of them always,
and cdk-nag looks after buckets and whatever else a service may add.
"""

from collections.abc import Iterator
from typing import Any

from patchbay.guardrails.finding import Finding, System
from patchbay.topology.template import Resource


def encryption(system: System) -> Iterator[Finding]:
    """Messages are encrypted where they wait."""
    for queue in system.all("SQS::Queue"):
        properties = queue.properties
        if properties.get("SqsManagedSseEnabled") is not True and not _has_key(queue):
            yield Finding(
                queue,
                f"Queue {queue.name} does not say that it encrypts its messages, personal data "
                "among them. Set SqsManagedSseEnabled, or a KMS key.",
            )
    for topic in system.all("SNS::Topic"):
        if not _has_key(topic):
            yield Finding(
                topic,
                f"Topic {topic.name} has no KMS key: SNS would keep its messages as they are. Set "
                "KmsMasterKeyId.",
            )


def tls(system: System) -> Iterator[Finding]:
    """Nothing is taken that does not come over TLS."""
    for kind, word in {"SQS::Queue": "Queue", "SNS::Topic": "Topic"}.items():
        for resource in system.all(kind):
            statements = resource.template.policy_of(resource)
            if not any(_denies_plain_text(statement) for statement in statements):
                yield Finding(
                    resource,
                    f"{word} {resource.name} takes requests without TLS: its messages could be "
                    "read on the way. Have its policy deny all where aws:SecureTransport is false "
                    "(`enforce_ssl=True`).",
                )


def _has_key(resource: Resource) -> bool:
    return bool(resource.properties.get("KmsMasterKeyId"))


def _denies_plain_text(statement: Any) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )
