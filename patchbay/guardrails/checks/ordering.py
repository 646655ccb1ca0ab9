"""FIFO queues: what fills each keeps the order, and can tell what it has sent already."""

from collections.abc import Iterator

from patchbay.guardrails.checks.queues import consumed
from patchbay.guardrails.finding import Finding, System
from patchbay.topology.consumers import relays_to
from patchbay.topology.template import Resource, listed


def order(system: System) -> Iterator[Finding]:
    """What fills a FIFO queue gives each message its group, and SQS tells a duplicate."""
    for rule in system.all("Events::Rule"):
        for aim in rule.properties.get("Targets", []):
            queue = rule.template.find(aim["Arn"])
            if queue and queue.properties.get("FifoQueue"):
                yield from _filled_by(rule, bool(_group_in(aim)), queue)
    for queue in consumed(system):
        if queue.properties.get("FifoQueue") and not _is_filled(queue):
            yield Finding(
                queue,
                f"Queue {queue.name} is a FIFO queue that neither a rule nor a relay fills: its "
                "consumer would wait for ever. Ask for `ordered_by=` in its service.",
            )


def relay(system: System) -> Iterator[Finding]:
    """A relay fills one queue, which it may send to, and nobody else may."""
    for queue in consumed(system):
        if not queue.properties.get("FifoQueue"):
            continue
        senders = [f for f in queue.template.all("Lambda::Function") if _may_send(f, queue)]
        relays = [f for f in queue.template.all("Lambda::Function") if relays_to(f) == queue]
        for function in relays:
            if function not in senders:
                yield Finding(
                    function,
                    f"Relay {function.name} may not send to {queue.name}: not one event would "
                    "arrive. Allow it sqs:SendMessage there.",
                )
        for function in senders:
            if function not in relays:
                yield Finding(
                    queue,
                    f"Function {function.name} may send to {queue.name} past its relay: what it "
                    "sends would be in order with nothing. Take that right away.",
                )


def _filled_by(rule: Resource, has_group: bool, queue: Resource) -> Iterator[Finding]:
    if not has_group:
        yield Finding(
            rule,
            f"Rule {rule.name} gives {queue.name}, a FIFO queue, no message group: EventBridge "
            "could deliver nothing. Set the target's MessageGroupId.",
        )
    if queue.properties.get("ContentBasedDeduplication") is not True:
        yield Finding(
            queue,
            f"Queue {queue.name} is a FIFO queue that rule {rule.name} fills, and wants an id by "
            "which to tell duplicates: EventBridge gives none, and could deliver nothing. Set "
            "ContentBasedDeduplication.",
        )


def _group_in(aim: object) -> str | None:
    parameters = aim.get("SqsParameters", {}) if isinstance(aim, dict) else {}
    group: str | None = parameters.get("MessageGroupId")
    return group


def _is_filled(queue: Resource) -> bool:
    rules, functions = queue.template.all("Events::Rule"), queue.template.all("Lambda::Function")
    aims = [aim["Arn"] for rule in rules for aim in rule.properties.get("Targets", [])]
    return queue.arn in aims or any(relays_to(function) == queue for function in functions)


def _may_send(function: Resource, queue: Resource) -> bool:
    return any(
        "sqs:SendMessage" in listed(statement.get("Action", []))
        and queue.arn in listed(statement.get("Resource", []))
        for statement in queue.template.statements(function)
        if statement["Effect"] == "Allow"
    )
