"""Checks of event source mappings, with which Lambda reads queues and streams."""

from collections import defaultdict
from collections.abc import Iterator

from patchbay.guardrails.finding import Finding, System, mapped
from patchbay.topology.template import Resource

MAX_CONCURRENCY = 1000  # Lambda's limit for a mapping, and an account's default quota
STREAM_RETENTION = 24 * 60 * 60  # seconds for which a DynamoDB stream keeps a record


def partial_batch(system: System) -> Iterator[Finding]:
    """Find each mapping of a queue without partial batch responses."""
    for mapping, queue, function in _of_queues(system):
        if "ReportBatchItemFailures" not in mapping.properties.get("FunctionResponseTypes", []):
            yield Finding(
                mapping,
                f"Function {function.name} can't report single failures to queue {queue.name}: "
                "one bad event would make Lambda retry its whole batch, and in the end turn its "
                "neighbours into dead letters. Turn ReportBatchItemFailures on.",
            )


def concurrency(system: System) -> Iterator[Finding]:
    """Find each consumer that could take all of the account's concurrency."""
    for mapping, queue, function in _of_queues(system):
        limit = mapping.properties.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is None or not 2 <= limit < MAX_CONCURRENCY:
            given = "no limit" if limit is None else f"a limit of {limit}"
            yield Finding(
                mapping,
                f"Function {function.name} reads queue {queue.name} with {given} on its "
                f"concurrency: a backlog could take the account's {MAX_CONCURRENCY} and starve "
                f"every other consumer. Set MaximumConcurrency, from 2 to {MAX_CONCURRENCY - 1}.",
            )


def enabled(system: System) -> Iterator[Finding]:
    """Find each event source mapping and rule that is disabled."""
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        if mapping.properties.get("Enabled") is False and source and function:
            yield Finding(
                mapping,
                f"Function {function.name} does not read {source.name}: its event source mapping "
                "is disabled in the template, so messages would wait until they expire. Enable "
                "it; to pause a consumer, disable the mapping of the running system.",
            )
    for rule in system.all("Events::Rule"):
        if rule.properties.get("State") == "DISABLED":
            yield Finding(
                rule,
                f"Rule {rule.name} is disabled in the template: events published meanwhile would "
                "never arrive, even after it is enabled. Enable it, or remove it.",
            )


def isolation(system: System) -> Iterator[Finding]:
    """Find each queue with several consumers or none, and each function with several queues."""
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
                f"Queue {queue.name} has several consumers, {names}: each message goes to only "
                "one of them, and each would miss what the other received. Give each its own "
                "queue and rule.",
            )
    for function, queues in read_by.items():
        if len(queues) > 1:
            names = " and ".join(sorted(queue.name for queue in queues))
            yield Finding(
                function,
                f"Function {function.name} reads several queues, {names}: a backlog in one would "
                "delay the other, and rejected messages could go to only one dead-letter queue. "
                "Give each queue its own function.",
            )
    yield from _unread(system, set(readers))


def stream(system: System) -> Iterator[Finding]:
    """Find each mapping of a DynamoDB stream that could lose a bad record, or block on it."""
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        if source and function and source.kind == "DynamoDB::Table":
            for problem in stream_mapping_problems(mapping):
                yield Finding(
                    mapping, f"Function {function.name} reads the stream of {source.name} {problem}"
                )


def _of_queues(system: System) -> Iterator[tuple[Resource, Resource, Resource]]:
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        if source and function and source.kind == "SQS::Queue":
            yield mapping, source, function


def _unread(system: System, read: set[Resource]) -> Iterator[Finding]:
    for rule in system.all("Events::Rule"):
        for target in rule.properties.get("Targets", []):
            queue = rule.template.find(target["Arn"])
            if queue and queue.kind == "SQS::Queue" and queue not in read:
                yield Finding(
                    queue,
                    f"Queue {queue.name} is filled by rule {rule.name}, and no function reads it: "
                    "its events would expire unseen. Add a function that reads it, or remove the "
                    "rule.",
                )


def stream_mapping_problems(mapping: Resource) -> Iterator[str]:
    """Yield each problem of a stream's mapping with records that can't be handled."""
    properties = mapping.properties
    if not properties.get("BisectBatchOnFunctionError"):
        yield (
            "without bisecting a batch that fails: one bad record would fail its neighbours too. "
            "Set BisectBatchOnFunctionError."
        )
    age = properties.get("MaximumRecordAgeInSeconds", -1)
    if age == -1 and properties.get("MaximumRetryAttempts", -1) == -1:
        yield (
            "and never gives up a record: one that can't be handled would block its shard until it "
            "expires, unseen. Set MaximumRecordAgeInSeconds or MaximumRetryAttempts."
        )
    elif age >= STREAM_RETENTION:
        yield (
            f"and gives up a record after {age} s, when it has expired in the stream "
            f"({STREAM_RETENTION} s): the position in the dead letter would point to nothing. Set "
            "MaximumRecordAgeInSeconds to half of that."
        )
    if "Destination" not in properties.get("DestinationConfig", {}).get("OnFailure", {}):
        yield (
            "and keeps nothing of the records that it gives up: a record could be lost in silence. "
            "Set a queue as the on-failure destination."
        )
