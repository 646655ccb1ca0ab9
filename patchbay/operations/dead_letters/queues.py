"""The dead-letter queues of a stage, found by their names and by who sends to them."""

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
AT_ONCE = 8  # requests: each answer is small, and there is one for every queue and function

LEFT = NotRedrivable("no deployed resource uses it as its dead-letter queue")
SHARED = NotRedrivable(
    "a window that is over takes no record, and others read that stream as well: put the records "
    "where they are missing by hand"
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
    """Who leaves dead letters in a queue, and where they came from."""

    kind: Kind
    owner: str
    redrive_target: RedriveTarget
    log_group: str | None = None
    attempts: int | None = None


def queues(clients: Clients, stage: str) -> list[DeadLetterQueue]:
    """Return every dead-letter queue of a stage, by owner; raises UserError where it has none.

    A queue of the stage that no function reads, and that no deployed resource names as its
    dead-letter queue, is an abandoned one and is returned as well.
    """
    sqs = clients.client("sqs")
    pages = sqs.get_paginator("list_queues").paginate(
        QueueNamePrefix=named(stage, ""), PaginationConfig={"PageSize": 1000}
    )
    urls = [url for page in pages for url in page.get("QueueUrls", [])]
    if not urls:
        raise not_deployed(clients, stage, f"queue {named(stage, '…')}")
    there = [each for each in _each(lambda url: _described(sqs, url), urls) if each]
    by_arn = {queue.arn: queue for queue in there}
    uses, read = _Uses(clients, stage, by_arn).found()
    found = [
        _dead_letter_queue(queue, uses.get(queue.arn, _left(queue, stage)))
        for queue in there
        if queue.arn in uses or queue.arn not in read
    ]
    return sorted(found, key=lambda queue: (queue.owner, queue.name))


class _Uses:
    """What each queue of a stage is used for."""

    def __init__(self, clients: Clients, stage: str, queues: Mapping[str, _Queue]) -> None:
        self._clients = clients
        self._stage = stage
        self._queues = queues
        lambda_ = clients.client("lambda")
        # Others may run in the same account.
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
        # A queue has one use: a guardrail holds that.
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
            asked = {"Rule": rule["Name"], "EventBusName": bus}
            return paged(events.list_targets_by_rule, "Targets", **asked)

        for target in [target for those in _each(targets, rules) for target in those]:
            dead: str = target.get("DeadLetterConfig", {}).get("Arn", "")
            if dead not in self._queues:
                continue
            queue = self._queues.get(target["Arn"])
            if queue is None:
                redrive_target: RedriveTarget = NotRedrivable(
                    f"the rule's target is {target['Arn']}, which is no queue"
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
        # Who counts a stream knows by a record's place what it has counted: one that was passed by
        # is for it one that it has had. At the end of the stream, it is new, for all who read it.
        if ":kinesis:" in stream and len(readers) == 1:
            return ToStream(stream)
        if mapping.get("TumblingWindowInSeconds"):
            return SHARED
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

        def leaves(schedule: Mapping[str, Any]) -> list[tuple[str, _Use]]:
            asked = {"Name": schedule["Name"], "GroupName": schedule["GroupName"]}
            target = scheduler.get_schedule(**asked)["Target"]
            function = target["Arn"].rpartition(":function:")[2]
            use = _Use(
                "schedule",
                self._short(function),
                ToFunction(function),
                log_group=f"/aws/lambda/{function}",
            )
            arns = {target.get("DeadLetterConfig", {}).get("Arn"), _on_failure(lambda_, function)}
            return [(arn, use) for arn in arns if arn in self._queues]

        for uses in _each(leaves, listed):
            yield from uses

    def _reader(self, queue_arn: str) -> str | None:
        """Return the function that a queue feeds."""
        reading = [each for each in self._mappings if each["EventSourceArn"] == queue_arn]
        return function_of(reading[0]) if reading else None

    def _owner(self, queue: _Queue) -> str:
        """Return the consumer that a queue feeds, directly or through its relay."""
        variables = self._variables.get(self._reader(queue.arn) or "", {})
        if "CONSUMER" in variables:
            return variables["CONSUMER"]
        behind = [each for each in self._queues.values() if each.url == variables.get("RELAYS_TO")]
        return self._owner(behind[0]) if behind else self._short(queue.name)

    def _short(self, name: str) -> str:
        return name.removeprefix(named(self._stage, "")).removesuffix(".fifo")


def _left(queue: _Queue, stage: str) -> _Use:
    owner = queue.name.removeprefix(named(stage, "")).removesuffix(".fifo")
    return _Use("unknown", owner, LEFT)


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
        raise UserError(f"The queue {queue.name} is gone.")
    return replace(
        queue,
        count=now.depth.total,
        in_flight=now.depth.in_flight,
    )


def _described(sqs: Any, url: str) -> _Queue | None:
    """Read a queue's attributes; returns None where it is deleted."""
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


def _each(ask: Callable[[T], U], those: Iterable[T]) -> list[U]:
    """Call `ask` for each item, several at once, and return the answers in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, those))
