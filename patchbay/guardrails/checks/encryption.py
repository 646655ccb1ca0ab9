"""Checks of encryption, at rest and in transit.

Tables, log groups, the bus and its archive need no check: AWS always encrypts them. cdk-nag checks
buckets and all other kinds of resources.
"""

from collections.abc import Iterator
from typing import Any

from patchbay.guardrails.finding import Finding, System
from patchbay.topology.template import Resource


def encryption(system: System) -> Iterator[Finding]:
    """Find each queue and topic without encryption at rest."""
    for queue in system.all("SQS::Queue"):
        properties = queue.properties
        if properties.get("SqsManagedSseEnabled") is not True and not _has_key(queue):
            yield Finding(
                queue,
                f"Queue {queue.name} does not set its encryption, and its messages hold personal "
                "data. Set SqsManagedSseEnabled, or a KMS key.",
            )
    for topic in system.all("SNS::Topic"):
        if not _has_key(topic):
            yield Finding(
                topic,
                f"Topic {topic.name} has no KMS key: SNS would store its messages unencrypted. "
                "Set KmsMasterKeyId.",
            )


def tls(system: System) -> Iterator[Finding]:
    """Find each queue and topic that accepts requests without TLS."""
    for kind, word in {"SQS::Queue": "Queue", "SNS::Topic": "Topic"}.items():
        for resource in system.all(kind):
            statements = resource.template.policy_of(resource)
            if not any(_denies_plain_text(statement) for statement in statements):
                yield Finding(
                    resource,
                    f"{word} {resource.name} takes requests without TLS: its messages could be "
                    "read in transit. Have its policy deny all where aws:SecureTransport is false "
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
