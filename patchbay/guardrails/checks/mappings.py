"""Event source mappings: how Lambda reads queues and streams for a function."""

from collections import defaultdict
from collections.abc import Iterator

from patchbay.guardrails.finding import Finding, System, mapped
from patchbay.topology.template import Resource

MAX_CONCURRENCY = 1000  # Lambda's own limit for a mapping, and an account's to begin with
STREAM_RETENTION = 24 * 60 * 60  # seconds for which a DynamoDB stream keeps a record


def partial_batch(system: System) -> Iterator[Finding]:
    """One record's failure is not its batch's."""
    for mapping, queue, function in _of_queues(system):
        if "ReportBatchItemFailures" not in mapping.properties.get("FunctionResponseTypes", []):
            yield Finding(
                mapping,
                f"Function {function.name} can't report single failures to queue {queue.name}: "
                "one bad event would bring back its whole batch, and in the end make dead letters "
                "of its neighbours. Turn ReportBatchItemFailures on.",
            )


def concurrency(system: System) -> Iterator[Finding]:
    """No consumer can take all of the account's concurrency from the others."""
    for mapping, queue, function in _of_queues(system):
        limit = mapping.properties.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is None or not 2 <= limit < MAX_CONCURRENCY:
            given = "no limit" if limit is None else f"a limit of {limit}"
            yield Finding(
                mapping,
                f"Function {function.name} reads queue {queue.name} with {given} of concurrency: "
                f"a backlog could take the account's {MAX_CONCURRENCY} and starve every other "
                f"consumer. Set MaximumConcurrency, from 2 to {MAX_CONCURRENCY - 1}.",
            )


def enabled(system: System) -> Iterator[Finding]:
    """What is to be read is read."""
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        if mapping.properties.get("Enabled") is False and source and function:
            yield Finding(
                mapping,
                f"Function {function.name} does not read {source.name}: its mapping is switched "
                "off in the template, so messages would wait until they expire. Switch it on; to "
                "pause a consumer, disable the mapping where it runs.",
            )
    for rule in system.all("Events::Rule"):
        if rule.properties.get("State") == "DISABLED":
            yield Finding(
                rule,
                f"Rule {rule.name} is switched off in the template: what is published meanwhile "
                "would never arrive, even once it is switched on. Switch it on, or remove it.",
            )


def isolation(system: System) -> Iterator[Finding]:
    """One queue, one function: consumers share nothing in which one could hold up another."""
    readers: defaultdict[Resource, list[Resource]] = defaultdict(list)
    read_by: defaultdict[Resource, list[Resource]] = defaultdict(list)
    for _, queue, function in _of_queues(system):
        readers[queue].append(function)
        read_by[function].append(queue)
    for queue, functions in readers.items():
        if len(functions) > 1:
            names = " and ".join(sorted(function.name for function in functions))
            yield Finding(
                queue,
                f"Queue {queue.name} has two consumers on one queue, {names}: each message goes to "
                "one of them only, and each would miss what the other got. Give each its own "
                "queue and rule.",
            )
    for function, queues in read_by.items():
        if len(queues) > 1:
            names = " and ".join(sorted(queue.name for queue in queues))
            yield Finding(
                function,
                f"Function {function.name} reads two queues, {names}: a backlog in one would hold "
                "up the other, and what it rejects could go to one dead-letter queue only. Give "
                "each queue its own function.",
            )
    yield from _unread(system, set(readers))


def stream(system: System) -> Iterator[Finding]:
    """A record that can't be handled is isolated, given up in time, and kept where it is seen."""
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        if source and function and source.kind == "DynamoDB::Table":
            for wrong in neither_lost_nor_in_the_way(mapping):
                yield Finding(
                    mapping, f"Function {function.name} reads the stream of {source.name} {wrong}"
                )


def _of_queues(system: System) -> Iterator[tuple[Resource, Resource, Resource]]:
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        if source and function and source.kind == "SQS::Queue":
            yield mapping, source, function


def _unread(system: System, read: set[Resource]) -> Iterator[Finding]:
    for rule in system.all("Events::Rule"):
        for aim in rule.properties.get("Targets", []):
            queue = rule.template.find(aim["Arn"])
            if queue and queue.kind == "SQS::Queue" and queue not in read:
                yield Finding(
                    queue,
                    f"Queue {queue.name} is filled by rule {rule.name}, and no function reads it: "
                    "its events would expire unseen. Feed it to a function, or remove the rule.",
                )


def neither_lost_nor_in_the_way(mapping: Resource) -> Iterator[str]:
    """What is wrong with how a stream's mapping deals with records that can't be handled."""
    properties = mapping.properties
    if not properties.get("BisectBatchOnFunctionError"):
        yield (
            "without halving a batch that fails: one bad record would take its neighbours with "
            "it. Set BisectBatchOnFunctionError."
        )
    age = properties.get("MaximumRecordAgeInSeconds", -1)
    if age == -1 and properties.get("MaximumRetryAttempts", -1) == -1:
        yield (
            "and never gives a record up: one that can't be handled would block its shard until "
            "the stream forgets it, unseen. Set MaximumRecordAgeInSeconds or MaximumRetryAttempts."
        )
    elif age >= STREAM_RETENTION:
        yield (
            f"and gives a record up after {age} s, when the stream has forgotten it "
            f"({STREAM_RETENTION} s): its position would lead nowhere. Set "
            "MaximumRecordAgeInSeconds to half of that."
        )
    if "Destination" not in properties.get("DestinationConfig", {}).get("OnFailure", {}):
        yield (
            "and leaves no trace of what it gives up: a record could be lost in silence. Name a "
            "queue as the destination on failure."
        )
