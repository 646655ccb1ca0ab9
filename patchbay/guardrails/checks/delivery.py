"""Checks of delivery from the bus to a queue: rules, their targets, and queue policies."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from patchbay.events.event import Event, Metadata
from patchbay.guardrails.finding import Finding, System
from patchbay.topology.event_pattern import EventPattern, InvalidEventPattern
from patchbay.topology.rules import lets_through
from patchbay.topology.template import Resource, listed, plain

# EventBridge's quotas: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_RULES = 300  # on a bus; more on request
MAX_TARGETS = 5  # of a rule; fixed
MAX_PATTERN = 2048  # characters; more on request

NEEDED = {"sqs:SendMessage"}
# The CDK grants these too. They give no access to messages.
HARMLESS = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
BY_SOURCE = ("ArnEquals", "ArnLike", "StringEquals")


def queue_policy(system: System) -> Iterator[Finding]:
    """Find each queue whose policy does not allow exactly its own rules to send to it."""
    senders = _senders(system)
    for queue in system.all("SQS::Queue"):
        allowed = [s for s in queue.template.policy_of(queue) if s["Effect"] == "Allow"]
        sources = [source for each in allowed for source in _allowed_sources(each, queue)]
        for rule in senders[queue]:
            if rule.arn not in sources:
                yield Finding(
                    queue,
                    f"Queue {queue.name} does not let rule {rule.name} send to it: SQS would "
                    "refuse EventBridge's requests, and no event would arrive. Allow "
                    "events.amazonaws.com sqs:SendMessage, where aws:SourceArn is that rule's.",
                )
        if any(not _is_exact(statement, senders[queue], queue) for statement in allowed):
            names = ", ".join(rule.name for rule in senders[queue]) or "its rules (none)"
            yield Finding(
                queue,
                f"Queue {queue.name} grants more than sqs:SendMessage to {names}: others could "
                "forge events or read them. Allow only events.amazonaws.com sqs:SendMessage, "
                "where aws:SourceArn is its own rule's.",
            )


def target(system: System) -> Iterator[Finding]:
    """Find each rule's target without retries, or without a dead-letter queue."""
    for rule in system.all("Events::Rule"):
        for target in rule.properties.get("Targets", []):
            yield from _target(rule, target)


def pattern(system: System) -> Iterator[Finding]:
    """Find each pattern that AWS would refuse, or that no event of the contracts can match."""
    for rule in system.all("Events::Rule"):
        wanted = plain(rule.properties.get("EventPattern"))
        if wanted is None:
            continue  # the rule has a schedule
        try:
            EventPattern(json.dumps(wanted))
        except InvalidEventPattern as error:
            yield Finding(
                rule,
                f"Rule {rule.name} has an invalid pattern. AWS would refuse it at deployment: "
                f"{error}",
            )
            continue
        if not rule.properties.get("EventBusName"):
            continue  # the default bus carries AWS's own events
        passed = [e for e in system.events if lets_through(rule, e.source(), e.detail_type())]
        for event in passed:
            if unknown := _unknown_fields(wanted, event):
                yield Finding(
                    rule,
                    f"Rule {rule.name} can't match {event.detail_type()}: its pattern asks for "
                    f"{', '.join(unknown)}, which that event does not have. Take the fields from "
                    f"{event.__module__.replace('.', '/')}.py.",
                )
        if not passed:
            yield Finding(
                rule,
                f"Rule {rule.name} matches no event of the contracts: {_address(wanted)}. Its "
                "consumer would never receive an event. Take source and detail-type from the "
                "contract.",
            )


def limits(system: System) -> Iterator[Finding]:
    """Find where rules, their targets or their patterns exceed EventBridge's quotas."""
    on_bus: defaultdict[str, list[Resource]] = defaultdict(list)
    for rule in system.all("Events::Rule"):
        on_bus[json.dumps(rule.properties.get("EventBusName", "default"))].append(rule)
        count = len(rule.properties.get("Targets", []))
        if count > MAX_TARGETS:
            yield Finding(
                rule,
                f"Rule {rule.name} has {count} targets, but EventBridge allows {MAX_TARGETS}: it "
                "could not be deployed. Give each consumer a rule of its own.",
            )
        length = len(json.dumps(rule.properties.get("EventPattern", ""), separators=(",", ":")))
        if length > MAX_PATTERN:
            yield Finding(
                rule,
                f"Rule {rule.name} has a pattern of {length} characters, but EventBridge allows "
                f"{MAX_PATTERN}: it could not be deployed. Move some of the filter into the "
                "handler; or have the quota raised, and accept this finding.",
            )
    for bus, rules in on_bus.items():
        if len(rules) > MAX_RULES:
            yield Finding(
                rules[-1],
                f"Bus {json.loads(bus)} has {len(rules)} rules, but EventBridge allows "
                f"{MAX_RULES}: the last could not be deployed. Have the quota raised, and accept "
                f"this finding on {rules[-1].name}; or use a second bus.",
            )


def _senders(system: System) -> defaultdict[Resource, list[Resource]]:
    """Return the rules that send to each queue, or use it as a dead-letter queue."""
    found: defaultdict[Resource, list[Resource]] = defaultdict(list)
    for rule in system.all("Events::Rule"):
        for target in rule.properties.get("Targets", []):
            for arn in (target["Arn"], target.get("DeadLetterConfig", {}).get("Arn")):
                queue = rule.template.find(arn)
                if queue and queue.kind == "SQS::Queue" and rule not in found[queue]:
                    found[queue].append(rule)
    return found


def _allowed_sources(statement: Mapping[str, Any], queue: Resource) -> list[Any]:
    """Return the ARNs of the rules that a statement allows to send to a queue."""
    if (
        statement.get("Principal") != {"Service": "events.amazonaws.com"}
        or not set(listed(statement.get("Action", []))) >= NEEDED
        or queue.arn not in listed(statement.get("Resource", []))
    ):
        return []
    condition = statement.get("Condition", {})
    return [
        arn
        for operator in BY_SOURCE
        for arn in listed(condition.get(operator, {}).get("aws:SourceArn", []))
    ]


def _is_exact(statement: Mapping[str, Any], rules: list[Resource], queue: Resource) -> bool:
    sources = _allowed_sources(statement, queue)
    return (
        bool(sources)
        and set(listed(statement["Action"])) <= NEEDED | HARMLESS
        and all(source in [rule.arn for rule in rules] for source in sources)
    )


def _target(rule: Resource, target: Mapping[str, Any]) -> Iterator[Finding]:
    queue = rule.template.find(target["Arn"])
    destination = f"to queue {queue.name}" if queue else f"to its target {target.get('Id')}"
    if queue is None:
        yield Finding(
            rule,
            f"Rule {rule.name} has a target that is not in its stack. Its policy, its dead-letter "
            "queue and its other consumers can't be checked. Give the consumer a queue of its "
            "own, in the same stack as its rule.",
        )
    undelivered = rule.template.find(target.get("DeadLetterConfig", {}).get("Arn"))
    if undelivered is None:
        yield Finding(
            rule,
            f"Rule {rule.name} has no dead-letter queue for what it can't deliver {destination}: "
            "EventBridge would drop those events. Give the target a dead-letter queue, in this "
            "stack.",
        )
    elif undelivered.properties.get("FifoQueue"):
        yield Finding(
            rule,
            f"Rule {rule.name} sends what it can't deliver to {undelivered.name}, which is a FIFO "
            "queue: EventBridge writes dead letters to standard queues only, and would drop them. "
            "Use a standard queue.",
        )
    if not target.get("RetryPolicy", {}).get("MaximumRetryAttempts"):
        yield Finding(
            rule,
            f"Rule {rule.name} does not set how often to retry delivery {destination}: a "
            "transient error may lose an event. Set the target's MaximumRetryAttempts, 185 at "
            "most, and MaximumEventAgeInSeconds.",
        )


def _unknown_fields(pattern: Mapping[str, Any], event: type[Event]) -> list[str]:
    """Return the fields that a pattern tests, and that the event's contract does not have."""
    known = {"metadata": Metadata.model_fields, "data": event.model_fields}
    detail = pattern.get("detail", {})
    return [f"detail.{part}" for part in detail if part not in (*known, "$or")] + [
        f"detail.{part}.{field}"
        for part, fields in known.items()
        for field, wanted in detail.get(part, {}).items()
        if field not in (*fields, "$or") and wanted != [{"exists": False}]
    ]


def _address(pattern: Mapping[str, Any]) -> str:
    wanted = {key: pattern[key] for key in ("source", "detail-type") if key in pattern}
    return f"its pattern asks for {json.dumps(wanted)}"
