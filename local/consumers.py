"""The consumers that are deployed, found as an operator finds them: by asking AWS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from local.cloud import LocalCloud


@dataclass(frozen=True)
class Subscription:
    """What a rule lets through: a source's events of one type."""

    source: str
    detail_type: str


@dataclass(frozen=True)
class Consumer:
    """A queue with a function behind it."""

    name: str
    queue_url: str
    dead_letters_url: str
    log_group: str
    idempotency_table: str
    subscriptions: frozenset[Subscription]

    def idempotency_key(self, event_id: str) -> str:
        """Under which its table remembers that it has handled an event."""
        return f"{self.name}#{sha256(json.dumps(event_id).encode()).hexdigest()}"


def deployed_consumers(cloud: LocalCloud, bus: str) -> list[Consumer]:
    """Every function that a queue feeds, by name, with what the bus's rules send there."""
    lambda_ = cloud.client("lambda")
    pages = lambda_.get_paginator("list_event_source_mappings").paginate()
    mappings = [mapping for page in pages for mapping in page["EventSourceMappings"]]
    subscriptions = _subscriptions(cloud.client("events"), bus)
    found = []
    for mapping in mappings:
        if ":sqs:" not in mapping["EventSourceArn"]:
            continue
        function = lambda_.get_function_configuration(FunctionName=mapping["FunctionArn"])
        variables = function["Environment"]["Variables"]
        found.append(
            Consumer(
                name=variables["CONSUMER"],
                queue_url=variables["QUEUE_URL"],
                dead_letters_url=variables["DEAD_LETTER_QUEUE_URL"],
                log_group=f"/aws/lambda/{function['FunctionName']}",
                idempotency_table=variables["IDEMPOTENCY_TABLE"],
                subscriptions=frozenset(subscriptions.get(mapping["EventSourceArn"], ())),
            )
        )
    return sorted(found, key=lambda consumer: consumer.name)


def _subscriptions(events: Any, bus: str) -> dict[str, list[Subscription]]:
    """What goes to each target, by its ARN."""
    found: dict[str, list[Subscription]] = {}
    for rule in events.list_rules(EventBusName=bus)["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
        for target in targets:
            passed = _passed_by(json.loads(rule["EventPattern"]))
            found.setdefault(target["Arn"], []).extend(passed)
    return found


def _passed_by(pattern: dict[str, Any]) -> Iterator[Subscription]:
    for source in pattern.get("source", ()):
        for detail_type in pattern.get("detail-type", ()):
            yield Subscription(source, detail_type)
