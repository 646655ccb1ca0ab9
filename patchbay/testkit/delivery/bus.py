"""EventBridge: matches events with rules, and delivers them with each target's retries.

moto's matcher differs from AWS's, and its delivery has no policies, retries or dead letters. So
moto only validates the parameters of PutEvents, and this module does all that follows.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from patchbay.project.naming import REPLAY_NAME
from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Call, allows_service
from patchbay.testkit.aws.queue import MAX_MESSAGE_BYTES, Queue
from patchbay.testkit.clock import Clock
from patchbay.testkit.delivery.asynchronous import Asynchronous
from patchbay.testkit.delivery.cron import Next
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.faults import Fault
from patchbay.testkit.history import History, Published, event_id
from patchbay.testkit.reading.arns import arn_of
from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION
from patchbay.topology.event_pattern import EventPattern

EVENTBRIDGE = "events.amazonaws.com"
# EventBridge backs off exponentially. Its intervals are not public; with these, its 185 attempts
# take about 24 hours, its longest time.
FIRST_RETRY = 1.0  # seconds
LAST_RETRY = 500.0  # seconds


@dataclass(frozen=True)
class Target:
    """A rule's target: a queue, a function, or a target that the kit does not simulate."""

    id: str
    arn: str
    dead_letters: Queue | None
    max_attempts: int
    max_age: float  # seconds
    queue: Queue | None = None
    group: str | None = None  # the message group, of a FIFO queue
    function: Function | None = None
    is_log: bool = False  # a log group: a delivery to it has no effect
    refused: str | None = None  # why the kit can't deliver to it

    @property
    def name(self) -> str:
        """Its name in the history."""
        found = self.queue or self.function
        return found.name if found else self.arn


@dataclass(frozen=True)
class Rule:
    """A rule, as its template defines it."""

    name: str
    bus: str
    pattern: EventPattern | None  # None for a rule with only a schedule
    pattern_text: str
    enabled: bool
    targets: Sequence[Target]
    refused: str | None = None  # why the kit can't use its pattern
    next: Next | None = None  # the next due time, for a rule with a schedule

    @property
    def names_types(self) -> bool:
        """True if it names the types of its events, and does not take all."""
        return "detail-type" in json.loads(self.pattern_text)

    @property
    def arn(self) -> str:
        return arn_of("AWS::Events::Rule", self.name, self.bus)


class Buses:
    """Every event bus, and the rules on it."""

    def __init__(
        self,
        clock: Clock,
        history: History,
        rules: Sequence[Rule],
        faults_of: Callable[[Target], list[Fault]],
        may_invoke: Callable[[Function, str], bool],
        asynchronous: Asynchronous,
        delivered: Callable[[Queue], None],
    ) -> None:
        self._clock = clock
        self._history = history
        self._rules = rules
        self._faults_of = faults_of
        self._may_invoke = may_invoke
        self._asynchronous = asynchronous
        self._delivered = delivered

    def take(self, entry: Mapping[str, Any], bus_event_id: str, by: str) -> Published:
        """Deliver an entry that PutEvents has accepted to the targets of all matching rules."""
        text = _envelope(entry, bus_event_id, self._clock.now)
        detail = json.loads(entry["Detail"])
        published = Published(
            id=event_id(detail, bus_event_id),
            type=entry["DetailType"],
            source=entry["Source"],
            at=self._clock.now,
            by=by,
            detail=detail,
            bus=entry.get("EventBusName", "default").rpartition("/")[2],
            text=text,
        )
        self._history.has_published(published)
        self._pass_on(published, text)
        return published

    def replay(self, published: Published, name: str) -> None:
        """Deliver an event from the archive again, in a replay of that name."""
        self._history.note("the archive", "replays", f"{published.type}  {published.id}", name)
        text = f'{published.text[:-1]}, "{REPLAY_NAME}": {json.dumps(name)}}}'
        self._pass_on(published, text)

    def start_schedule(self, rule: Rule) -> None:
        """Start a rule's schedule, if it has one: its targets run whenever it is due."""
        if rule.next and rule.enabled:
            due = rule.next(self._clock.time)
            self._clock.at(due.timestamp(), lambda: self._tick(rule, due), idle=True)

    def _tick(self, rule: Rule, due: datetime) -> None:
        self.start_schedule(rule)
        entry = {
            "Source": "aws.events",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "Resources": [rule.arn],
        }
        event_id = str(uuid5(NAMESPACE_URL, f"{rule.arn}/{due.isoformat()}"))
        text = _envelope(entry, event_id, due.timestamp())
        published = Published(
            event_id,
            "Scheduled Event",
            "aws.events",
            self._clock.now,
            rule.name,
            {},
            rule.bus,
            text,
        )
        self._history.has_published(published)
        self._give(rule, published, text)

    def _pass_on(self, published: Published, text: str) -> None:
        bus = published.bus
        on_this_bus = [rule for rule in self._rules if rule.bus == bus and rule.enabled]
        for rule in on_this_bus:
            if rule.refused:
                raise NotInTheKit(f"An event is on the bus of the rule {rule.name}: {rule.refused}")
        matching = [rule for rule in on_this_bus if rule.pattern and rule.pattern.matches(text)]
        # A wire tap takes all events, so it does not count as a rule for this one.
        if not any(rule.names_types for rule in matching):
            self._history.unmatched(published, _nearest(on_this_bus, published))
        for rule in matching:
            self._give(rule, published, text)

    def _give(self, rule: Rule, published: Published, text: str) -> None:
        for target in rule.targets:
            delivery = _Delivery(rule, target, published, text, self._clock.now)
            faults = partial(self._faults_of, target)
            self._clock.at(
                self._clock.now,
                lambda d=delivery, f=faults: self._attempt(d, 0, f()),  # type: ignore[misc]
            )

    def _attempt(self, delivery: "_Delivery", retries: int, faults: Sequence[Fault]) -> None:
        target = delivery.target
        if target.refused:
            raise NotInTheKit(
                f"{delivery.event.type} from {delivery.event.source} reaches a target of the rule "
                f"{delivery.rule.name}: {target.refused}"
            )
        if target.is_log:
            self._history.note(target.arn, "received", delivery.event.type, delivery.event.id)
            return
        error = self._problem(delivery)
        if error:
            # A retry would have the same error.
            self._give_up(delivery, retries, *error, exhausted=None)
            return
        if any(fault.undeliverable for fault in faults):
            self._retry(delivery, retries)
            return
        for _ in range(max([1, *(fault.copies for fault in faults)])):
            self._put(delivery)

    def _put(self, delivery: "_Delivery") -> None:
        queue, function = delivery.target.queue, delivery.target.function
        if function:
            arrived = self._history.arrived_at_function(delivery.event, function.name)
            self._asynchronous.take(function, delivery.text, delivery=arrived)
            return
        assert queue
        message_id = queue.send(delivery.text, group=delivery.target.group)
        if queue.is_fifo and not queue.holds(message_id):
            self._history.note(queue.name, "dropped as a duplicate", delivery.event.id)
            return
        self._history.arrived(delivery.event, queue, message_id)
        self._delivered(queue)

    def _retry(self, delivery: "_Delivery", retries: int) -> None:
        wait = min(FIRST_RETRY * 2.0**retries, LAST_RETRY)
        target = delivery.target
        if retries >= target.max_attempts:
            exhausted = "MaximumRetryAttempts"
        elif self._clock.now + wait > delivery.since + target.max_age:
            exhausted = "MaximumEventAgeInSeconds"
        else:
            self._clock.at(
                self._clock.now + wait,
                lambda: self._attempt(delivery, retries + 1, self._faults_of(target)),
            )
            return
        self._give_up(delivery, retries, "SDK_CLIENT_ERROR", "can't be reached", exhausted)

    def _give_up(
        self, delivery: "_Delivery", retries: int, code: str, why: str, exhausted: str | None
    ) -> None:
        event, name = delivery.event, delivery.target.name
        dead_letters = delivery.target.dead_letters
        if dead_letters is None:
            why = f"{why}, and the target has no dead-letter queue"
            self._history.dropped(name, event.type, event.id, why)
        elif problem := self._queue_problem(delivery, dead_letters):
            why = f"{why}, and {problem[1]}"
            self._history.dropped(name, event.type, event.id, why)
        else:
            attributes = {
                "RULE_ARN": delivery.rule.arn,
                "TARGET_ARN": delivery.target.arn,
                "ERROR_CODE": code,
                "ERROR_MESSAGE": why,
                "RETRY_ATTEMPTS": str(retries),
            } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})
            message_id = dead_letters.send(delivery.text, attributes=attributes)
            self._history.sent(dead_letters.name, message_id, delivery.text)
        self._history.not_delivered(event, name, why)

    def _problem(self, delivery: "_Delivery") -> tuple[str, str] | None:
        """Return EventBridge's error code and message, if it can't deliver."""
        queue, function = delivery.target.queue, delivery.target.function
        if queue:
            return self._queue_problem(delivery, queue)
        if function and not self._may_invoke(function, delivery.rule.arn):
            return "NO_PERMISSIONS", (
                f"{function.name} does not let EventBridge invoke it for the rule "
                f"{delivery.rule.name}"
            )
        return None

    def _queue_problem(self, delivery: "_Delivery", queue: Queue) -> tuple[str, str] | None:
        call = Call("sqs:SendMessage", queue.arn, {"aws:SourceArn": [delivery.rule.arn]})
        if not allows_service(queue.statements, EVENTBRIDGE, call):
            return "NO_PERMISSIONS", (
                f"the policy of {queue.name} does not let EventBridge send for the rule "
                f"{delivery.rule.name}"
            )
        if queue.is_fifo and not queue.tells_duplicates_by_content:
            return "INVALID_PARAMETER", (
                f"{queue.name} needs a deduplication id, and EventBridge sends none"
            )
        size = len(delivery.text.encode())
        if size > MAX_MESSAGE_BYTES:
            return "INVALID_PARAMETER", (
                f"the event has {size:,} bytes with its envelope; a queue accepts "
                f"{MAX_MESSAGE_BYTES:,}"
            )
        return None


@dataclass(frozen=True)
class _Delivery:
    rule: Rule
    target: Target
    event: Published
    text: str
    since: float


def _envelope(entry: Mapping[str, Any], bus_event_id: str, now: float) -> str:
    """Return the event that rules match and targets receive. Its detail is unchanged text."""
    head = {
        "version": "0",
        "id": bus_event_id,
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": list(entry.get("Resources", [])),
    }
    return f'{json.dumps(head)[:-1]}, "detail": {entry["Detail"]}}}'


def _nearest(rules: Sequence[Rule], event: Published) -> str:
    """Return the patterns of the rules that come nearest to an event."""
    words = {event.type.lower(), event.source.lower()}
    near = [rule for rule in rules if any(word in rule.pattern_text.lower() for word in words)]
    if not near:
        return f"none of the bus's {len(rules)} rules names {event.source} or {event.type}"
    return "; ".join(f"{rule.name} has the pattern {rule.pattern_text}" for rule in near)
