"""The dead-letter queues of a stage, found by their names and by the resources that use them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import paged
from patchbay.operations.dead_letters.dead_letter import (
    DeadLetterQueue,
    FromStream,
    Kind,
    NotRedrivable,
    RedriveTarget,
    ToFunction,
    ToQueue,
    ToStream,
)
from patchbay.operations.event_source_mappings import all_mappings, function_of
from patchbay.operations.queue_depth import Depth, depth_in
from patchbay.operations.stages import not_deployed
from patchbay.project.naming import bus_name, named

T = TypeVar("T")
U = TypeVar("U")
MAX_THREADS = 8  # for one small request to each queue and function

ABANDONED = NotRedrivable("no deployed resource uses it as its dead-letter queue")
SHARED_STREAM = NotRedrivable(
    "its tumbling window is closed, and other functions read the stream too: add the records where "
    "they are missing by hand"
)


@dataclass(frozen=True)
class _Queue:
    """A queue of the stage, as SQS describes it."""

    url: str
    name: str
    arn: str
    attributes: Mapping[str, str]

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")

    @property
    def redrive(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.attributes.get("RedrivePolicy", "{}"))
        return found

    @property
    def depth(self) -> Depth:
        return depth_in(self.attributes)


@dataclass(frozen=True)
class _Use:
    """The use of a dead-letter queue: the step that fails, its owner and its redrive target."""

    kind: Kind
    owner: str
    redrive_target: RedriveTarget
    log_group: str | None = None
    attempts: int | None = None


def queues(clients: Clients, stage: str) -> list[DeadLetterQueue]:
    """Return every dead-letter queue of a stage, by owner; raises UserError if it has no queue.

    A queue of the stage that no function reads, and that no deployed resource uses as its
    dead-letter queue, is abandoned, and is returned too.
    """
    sqs = clients.client("sqs")
    pages = sqs.get_paginator("list_queues").paginate(
        QueueNamePrefix=named(stage, ""), PaginationConfig={"PageSize": 1000}
    )
    urls = [url for page in pages for url in page.get("QueueUrls", [])]
    if not urls:
        raise not_deployed(clients, stage, f"queue {named(stage, '…')}")
    existing = [each for each in _each(lambda url: _described(sqs, url), urls) if each]
    by_arn = {queue.arn: queue for queue in existing}
    uses, read = _Uses(clients, stage, by_arn).found()
    found = [
        _dead_letter_queue(queue, uses.get(queue.arn, _abandoned(queue, stage)))
        for queue in existing
        if queue.arn in uses or queue.arn not in read
    ]
    return sorted(found, key=lambda queue: (queue.owner, queue.name))


class _Uses:
    """The uses of a stage's queues."""

    def __init__(self, clients: Clients, stage: str, queues: Mapping[str, _Queue]) -> None:
        self._clients = clients
        self._stage = stage
        self._queues = queues
        lambda_ = clients.client("lambda")
        # The account may have other systems and stages.
        prefix = named(stage, "")
        self._mappings = [
            each for each in all_mappings(lambda_) if function_of(each).startswith(prefix)
        ]
        names = sorted({function_of(each) for each in self._mappings})
        self._variables = dict(
            zip(names, _each(lambda name: _variables(lambda_, name), names), strict=True)
        )

    def found(self) -> tuple[dict[str, _Use], set[str]]:
        """Return the use of each dead-letter queue by ARN, and the ARNs of queues that are read."""
        # A guardrail makes sure that a queue has one use.
        uses = dict(self._of_redrives())
        uses |= dict(self._of_rules())
        uses |= dict(self._of_streams())
        uses |= dict(self._of_schedules())
        return uses, {each["EventSourceArn"] for each in self._mappings}

    def _of_redrives(self) -> Iterator[tuple[str, _Use]]:
        for queue in self._queues.values():
            dead: str = queue.redrive.get("deadLetterTargetArn", "")
            if dead not in self._queues:
                continue
            reader = self._reader(queue.arn)
            is_relay = "RELAYS_TO" in self._variables.get(reader or "", {})
            yield (
                dead,
                _Use(
                    kind="relay" if is_relay else "handling",
                    owner=self._owner(queue),
                    redrive_target=ToQueue(queue.url, queue.name, queue.is_fifo),
                    log_group=f"/aws/lambda/{reader}" if reader else None,
                    attempts=int(queue.redrive["maxReceiveCount"]),
                ),
            )

    def _of_rules(self) -> Iterator[tuple[str, _Use]]:
        events, bus = self._clients.client("events"), bus_name(self._stage)
        rules = paged(events.list_rules, "Rules", EventBusName=bus)

        def targets(rule: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
            request = {"Rule": rule["Name"], "EventBusName": bus}
            return paged(events.list_targets_by_rule, "Targets", **request)

        for target in [target for of_rule in _each(targets, rules) for target in of_rule]:
            dead: str = target.get("DeadLetterConfig", {}).get("Arn", "")
            if dead not in self._queues:
                continue
            queue = self._queues.get(target["Arn"])
            if queue is None:
                redrive_target: RedriveTarget = NotRedrivable(
                    f"the rule's target is {target['Arn']}, which is not a queue of this stage"
                )
                yield dead, _Use("delivery", self._short(self._queues[dead].name), redrive_target)
                continue
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            redrive_target = ToQueue(queue.url, queue.name, queue.is_fifo, group)
            yield dead, _Use("delivery", self._owner(queue), redrive_target)

    def _of_streams(self) -> Iterator[tuple[str, _Use]]:
        for mapping in self._mappings:
            failed = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            if failed not in self._queues:
                continue
            function = function_of(mapping)
            log_group = f"/aws/lambda/{function}"
            yield failed, _Use("stream", self._short(function), self._target(mapping), log_group)

    def _target(self, mapping: Mapping[str, Any]) -> RedriveTarget:
        stream = mapping["EventSourceArn"]
        readers = [each for each in self._mappings if each["EventSourceArn"] == stream]
        # A function that aggregates a stream knows by a record's position what it has counted: it
        # would ignore the same record. Written to the end of the stream, the record is a new one,
        # but for every function that reads the stream.
        if ":kinesis:" in stream and len(readers) == 1:
            return ToStream(stream)
        if mapping.get("TumblingWindowInSeconds"):
            return SHARED_STREAM
        filters = mapping.get("FilterCriteria", {}).get("Filters", [])
        return FromStream(
            stream_arn=stream,
            function=function_of(mapping),
            filters=tuple(each["Pattern"] for each in filters),
            batch_size=int(mapping.get("BatchSize", 100)),
        )

    def _of_schedules(self) -> Iterator[tuple[str, _Use]]:
        scheduler, lambda_ = self._clients.client("scheduler"), self._clients.client("lambda")
        pages = scheduler.get_paginator("list_schedules").paginate(
            NamePrefix=named(self._stage, "")
        )
        listed = [each for page in pages for each in page["Schedules"]]

        def uses_of(schedule: Mapping[str, Any]) -> list[tuple[str, _Use]]:
            request = {"Name": schedule["Name"], "GroupName": schedule["GroupName"]}
            target = scheduler.get_schedule(**request)["Target"]
            function = target["Arn"].rpartition(":function:")[2]
            use = _Use(
                "schedule",
                self._short(function),
                ToFunction(function),
                log_group=f"/aws/lambda/{function}",
            )
            arns = {target.get("DeadLetterConfig", {}).get("Arn"), _on_failure(lambda_, function)}
            return [(arn, use) for arn in arns if arn in self._queues]

        for uses in _each(uses_of, listed):
            yield from uses

    def _reader(self, queue_arn: str) -> str | None:
        """Return the function that reads a queue."""
        reading = [each for each in self._mappings if each["EventSourceArn"] == queue_arn]
        return function_of(reading[0]) if reading else None

    def _owner(self, queue: _Queue) -> str:
        """Return the consumer that reads a queue, directly or through its relay."""
        variables = self._variables.get(self._reader(queue.arn) or "", {})
        if "CONSUMER" in variables:
            return variables["CONSUMER"]
        behind = [each for each in self._queues.values() if each.url == variables.get("RELAYS_TO")]
        return self._owner(behind[0]) if behind else self._short(queue.name)

    def _short(self, name: str) -> str:
        return name.removeprefix(named(self._stage, "")).removesuffix(".fifo")


def _abandoned(queue: _Queue, stage: str) -> _Use:
    owner = queue.name.removeprefix(named(stage, "")).removesuffix(".fifo")
    return _Use("unknown", owner, ABANDONED)


def _dead_letter_queue(queue: _Queue, use: _Use) -> DeadLetterQueue:
    return DeadLetterQueue(
        name=queue.name,
        url=queue.url,
        kind=use.kind,
        owner=use.owner,
        count=queue.depth.total,
        in_flight=queue.depth.in_flight,
        redrive_target=use.redrive_target,
        log_group=use.log_group,
        attempts=use.attempts,
        is_fifo=queue.is_fifo,
    )


def recounted(clients: Clients, queue: DeadLetterQueue) -> DeadLetterQueue:
    """Return the queue with its current depth."""
    now = _described(clients.client("sqs"), queue.url)
    if now is None:
        raise UserError(f"The queue {queue.name} was deleted in the meantime.")
    return replace(
        queue,
        count=now.depth.total,
        in_flight=now.depth.in_flight,
    )


def _described(sqs: Any, url: str) -> _Queue | None:
    """Read a queue's attributes; returns None if it was deleted."""
    try:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    except sqs.exceptions.QueueDoesNotExist:
        return None
    attributes = answer["Attributes"]
    return _Queue(url, url.rpartition("/")[2], attributes["QueueArn"], attributes)


def _variables(lambda_: Any, function: str) -> dict[str, str]:
    configuration = lambda_.get_function_configuration(FunctionName=function)
    variables: dict[str, str] = configuration.get("Environment", {}).get("Variables", {})
    return variables


def _on_failure(lambda_: Any, function: str) -> str | None:
    """Return the function's failure destination."""
    try:
        config = lambda_.get_function_event_invoke_config(FunctionName=function)
    except lambda_.exceptions.ResourceNotFoundException:
        return None
    destination: str | None = (
        config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    )
    return destination


def _each(request: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Make a request for each item, several at once, and return the answers in order."""
    with ThreadPoolExecutor(MAX_THREADS) as pool:
        return list(pool.map(request, items))
