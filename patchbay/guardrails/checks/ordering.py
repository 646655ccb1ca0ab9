"""Checks of FIFO queues: message groups, deduplication, and relays."""

from collections.abc import Iterator

from patchbay.guardrails.checks.queues import consumed
from patchbay.guardrails.finding import Finding, System
from patchbay.topology.consumers import relays_to
from patchbay.topology.template import Resource, listed


def order(system: System) -> Iterator[Finding]:
    """Find each FIFO queue without message groups, deduplication or a sender."""
    for rule in system.all("Events::Rule"):
        for target in rule.properties.get("Targets", []):
            queue = rule.template.find(target["Arn"])
            if queue and queue.properties.get("FifoQueue"):
                yield from _filled_by(rule, bool(_group_in(target)), queue)
    for queue in consumed(system):
        if queue.properties.get("FifoQueue") and not _is_filled(queue):
            yield Finding(
                queue,
                f"Queue {queue.name} is a FIFO queue, but neither a rule nor a relay sends to it: "
                "its consumer would never receive an event. Pass `ordered_by=` in its service.",
            )


def relay(system: System) -> Iterator[Finding]:
    """Find each FIFO queue to which not exactly its relay may send."""
    for queue in consumed(system):
        if not queue.properties.get("FifoQueue"):
            continue
        senders = [f for f in queue.template.all("Lambda::Function") if _may_send(f, queue)]
        relays = [f for f in queue.template.all("Lambda::Function") if relays_to(f) == queue]
        for function in relays:
            if function not in senders:
                yield Finding(
                    function,
                    f"Relay {function.name} may not send to {queue.name}: no event would arrive. "
                    "Allow it sqs:SendMessage there.",
                )
        for function in senders:
            if function not in relays:
                yield Finding(
                    queue,
                    f"Function {function.name} may send to {queue.name} directly, not through its "
                    "relay: its messages would be in no order. Remove that permission.",
                )


def _filled_by(rule: Resource, has_group: bool, queue: Resource) -> Iterator[Finding]:
    if not has_group:
        yield Finding(
            rule,
            f"Rule {rule.name} sets no message group for {queue.name}, a FIFO queue: EventBridge "
            "could deliver nothing. Set the target's MessageGroupId.",
        )
    if queue.properties.get("ContentBasedDeduplication") is not True:
        yield Finding(
            queue,
            f"Queue {queue.name} is a FIFO queue and the target of rule {rule.name}, so it needs "
            "a deduplication id: EventBridge sends none, and could deliver nothing. Set "
            "ContentBasedDeduplication.",
        )


def _group_in(target: object) -> str | None:
    parameters = target.get("SqsParameters", {}) if isinstance(target, dict) else {}
    group: str | None = parameters.get("MessageGroupId")
    return group


def _is_filled(queue: Resource) -> bool:
    rules, functions = queue.template.all("Events::Rule"), queue.template.all("Lambda::Function")
    targets = [target["Arn"] for rule in rules for target in rule.properties.get("Targets", [])]
    return queue.arn in targets or any(relays_to(function) == queue for function in functions)


def _may_send(function: Resource, queue: Resource) -> bool:
    return any(
        "sqs:SendMessage" in listed(statement.get("Action", []))
        and queue.arn in listed(statement.get("Resource", []))
        for statement in queue.template.statements(function)
        if statement["Effect"] == "Allow"
    )
