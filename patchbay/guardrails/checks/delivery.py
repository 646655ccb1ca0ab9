"""From the bus into the queue: rules, their targets, and who may send to a queue."""

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
# What the CDK gives along with it, and what gives nothing away.
HARMLESS = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
BY_SOURCE = ("ArnEquals", "ArnLike", "StringEquals")


def queue_policy(system: System) -> Iterator[Finding]:
    """A queue takes events from exactly the rules that are to send to it, and from nobody else."""
    senders = _senders(system)
    for queue in system.all("SQS::Queue"):
        allowed = [s for s in queue.template.policy_of(queue) if s["Effect"] == "Allow"]
        taken_from = [source for statement in allowed for source in _let_in(statement, queue)]
        for rule in senders[queue]:
            if rule.arn not in taken_from:
                yield Finding(
                    queue,
                    f"Queue {queue.name} does not let rule {rule.name} send to it: EventBridge "
                    "would be refused, and not one event would arrive. Allow events.amazonaws.com "
                    "sqs:SendMessage, where aws:SourceArn is that rule's.",
                )
        if any(not _is_exact(statement, senders[queue], queue) for statement in allowed):
            names = ", ".join(rule.name for rule in senders[queue]) or "no rule"
            yield Finding(
                queue,
                f"Queue {queue.name} lets in more than {names}: its policy allows another sender "
                "or another action, so that others could forge events or read them. Allow "
                "events.amazonaws.com sqs:SendMessage, where aws:SourceArn is its own rule's.",
            )


def target(system: System) -> Iterator[Finding]:
    """Whatever a rule can't deliver is retried, and then kept."""
    for rule in system.all("Events::Rule"):
        for aim in rule.properties.get("Targets", []):
            yield from _target(rule, aim)


def pattern(system: System) -> Iterator[Finding]:
    """AWS takes every rule's pattern, and some event of the contracts can pass it."""
    for rule in system.all("Events::Rule"):
        asked = plain(rule.properties.get("EventPattern"))
        if asked is None:
            continue  # it is on a schedule
        try:
            EventPattern(json.dumps(asked))
        except InvalidEventPattern as error:
            yield Finding(
                rule,
                f"Rule {rule.name} has a pattern that AWS does not take, and would refuse only "
                f"when it is deployed: {error}",
            )
            continue
        if not rule.properties.get("EventBusName"):
            continue  # the default bus carries AWS's own events
        passed = [e for e in system.events if lets_through(rule, e.source(), e.detail_type())]
        for event in passed:
            if unknown := _unknown_fields(asked, event):
                yield Finding(
                    rule,
                    f"Rule {rule.name} can't pass {event.detail_type()}: it asks for "
                    f"{', '.join(unknown)}, which that event does not have. Take the fields from "
                    f"{event.__module__.replace('.', '/')}.py.",
                )
        if not passed:
            yield Finding(
                rule,
                f"Rule {rule.name} passes no event of the contracts: {_asked_of(asked)}. Its "
                "consumer would wait for ever. Take source and detail-type from the contract.",
            )


def limits(system: System) -> Iterator[Finding]:
    """There is no more of rules, of their targets and of their patterns than EventBridge takes."""
    on_bus: defaultdict[str, list[Resource]] = defaultdict(list)
    for rule in system.all("Events::Rule"):
        on_bus[json.dumps(rule.properties.get("EventBusName", "default"))].append(rule)
        count = len(rule.properties.get("Targets", []))
        if count > MAX_TARGETS:
            yield Finding(
                rule,
                f"Rule {rule.name} has {count} targets, and EventBridge takes {MAX_TARGETS}: it "
                "could not be deployed. Give each consumer a rule of its own.",
            )
        length = len(json.dumps(rule.properties.get("EventPattern", ""), separators=(",", ":")))
        if length > MAX_PATTERN:
            yield Finding(
                rule,
                f"Rule {rule.name} has a pattern of {length} characters, and EventBridge takes "
                f"{MAX_PATTERN}: it could not be deployed. Ask for less in the rule, and leave the "
                "rest to the handler; or have the quota raised, and accept this.",
            )
    for bus, rules in on_bus.items():
        if len(rules) > MAX_RULES:
            yield Finding(
                rules[-1],
                f"Bus {json.loads(bus)} has {len(rules)} rules, and EventBridge takes {MAX_RULES}: "
                "the last could not be deployed. Have the quota raised, and accept this on "
                f"{rules[-1].name}; or use a second bus.",
            )


def _senders(system: System) -> defaultdict[Resource, list[Resource]]:
    """The rules that send to each queue, or leave there what they can't deliver."""
    found: defaultdict[Resource, list[Resource]] = defaultdict(list)
    for rule in system.all("Events::Rule"):
        for aim in rule.properties.get("Targets", []):
            for arn in (aim["Arn"], aim.get("DeadLetterConfig", {}).get("Arn")):
                queue = rule.template.find(arn)
                if queue and queue.kind == "SQS::Queue" and rule not in found[queue]:
                    found[queue].append(rule)
    return found


def _let_in(statement: Mapping[str, Any], queue: Resource) -> list[Any]:
    """The ARNs of those from whom EventBridge may bring messages, by this statement."""
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
    sources = _let_in(statement, queue)
    return (
        bool(sources)
        and set(listed(statement["Action"])) <= NEEDED | HARMLESS
        and all(source in [rule.arn for rule in rules] for source in sources)
    )


def _target(rule: Resource, aim: Mapping[str, Any]) -> Iterator[Finding]:
    queue = rule.template.find(aim["Arn"])
    whither = f"to queue {queue.name}" if queue else f"to its target {aim.get('Id')}"
    if queue is None:
        yield Finding(
            rule,
            f"Rule {rule.name} has a target that is not in its stack: whether that lets it send, "
            "keeps what fails and serves no other consumer can't be checked. Give the consumer a "
            "queue of its own, next to its rule.",
        )
    undelivered = rule.template.find(aim.get("DeadLetterConfig", {}).get("Arn"))
    if undelivered is None:
        yield Finding(
            rule,
            f"Rule {rule.name} keeps nothing of what it can't deliver {whither}: EventBridge would "
            "drop those events. Give the target a dead-letter queue, in this stack.",
        )
    elif undelivered.properties.get("FifoQueue"):
        yield Finding(
            rule,
            f"Rule {rule.name} leaves what it can't deliver in {undelivered.name}, which is a "
            "FIFO queue: EventBridge writes dead letters to standard queues only, and would drop "
            "them. Use a standard queue.",
        )
    if not aim.get("RetryPolicy", {}).get("MaximumRetryAttempts"):
        yield Finding(
            rule,
            f"Rule {rule.name} does not say how often to retry {whither}: a moment's trouble may "
            "cost an event. Set the target's MaximumRetryAttempts, 185 at most, and "
            "MaximumEventAgeInSeconds.",
        )


def _unknown_fields(pattern: Mapping[str, Any], event: type[Event]) -> list[str]:
    """What a pattern wants to see of an event that its contract does not have."""
    known = {"metadata": Metadata.model_fields, "data": event.model_fields}
    detail = pattern.get("detail", {})
    return [f"detail.{part}" for part in detail if part not in (*known, "$or")] + [
        f"detail.{part}.{field}"
        for part, fields in known.items()
        for field, wanted in detail.get(part, {}).items()
        if field not in (*fields, "$or") and wanted != [{"exists": False}]
    ]


def _asked_of(pattern: Mapping[str, Any]) -> str:
    asked = {key: pattern[key] for key in ("source", "detail-type") if key in pattern}
    return f"it asks for {json.dumps(asked)}"
