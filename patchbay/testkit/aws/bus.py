"""EventBridge: matches events with rules, and delivers them, as patiently as each rule says.

moto's matcher differs from AWS's, and its delivery knows no policies, retries or dead letters, so
moto only checks what PutEvents is asked, and everything after that is done here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from patchbay.project.naming import REPLAY_NAME
from patchbay.testkit.aws.arns import arn_of
from patchbay.testkit.aws.iam import Call, allows_service
from patchbay.testkit.aws.intrinsics import ACCOUNT, REGION
from patchbay.testkit.aws.queue import MAX_MESSAGE_BYTES, Queue
from patchbay.testkit.clock import Clock
from patchbay.testkit.faults import Fault
from patchbay.testkit.history import History, Published, event_id
from patchbay.topology.event_pattern import EventPattern

EVENTBRIDGE = "events.amazonaws.com"
# EventBridge backs off exponentially. Its figures are not public; with these, its 185 attempts
# take just about the 24 hours that it tries at most.
FIRST_RETRY = 1.0  # seconds
LAST_RETRY = 500.0  # seconds


@dataclass(frozen=True)
class Target:
    """Where a rule delivers to."""

    id: str
    queue: Queue
    group: str | None  # the message group, of a FIFO queue
    dead_letters: Queue | None
    max_attempts: int
    max_age: float  # seconds


@dataclass(frozen=True)
class Rule:
    """What the template says of a rule."""

    name: str
    bus: str
    pattern: EventPattern
    pattern_text: str
    enabled: bool
    targets: Sequence[Target]

    @property
    def names_types(self) -> bool:
        """Whether it waits for certain types of events, and not for whatever comes."""
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
        faults_of: Callable[[Queue], list[Fault]],
        delivered: Callable[[Queue], None],
    ) -> None:
        self._clock = clock
        self._history = history
        self._rules = rules
        self._faults_of = faults_of
        self._delivered = delivered

    def take(self, entry: Mapping[str, Any], bus_event_id: str, by: str) -> Published:
        """Have an entry that PutEvents accepted delivered to whoever has a rule for it."""
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
        """Have an event come out of the archive again, in a replay of that name."""
        self._history.note("the archive", "replays", f"{published.type}  {published.id}", name)
        text = f'{published.text[:-1]}, "{REPLAY_NAME}": {json.dumps(name)}}}'
        self._pass_on(published, text)

    def _pass_on(self, published: Published, text: str) -> None:
        bus = published.bus
        on_this_bus = [rule for rule in self._rules if rule.bus == bus and rule.enabled]
        matching = [rule for rule in on_this_bus if rule.pattern.matches(text)]
        # A wire tap, which takes whatever there is, was not waiting for this one.
        if not any(rule.names_types for rule in matching):
            self._history.unmatched(published, _nearest(on_this_bus, published))
        for rule in matching:
            for target in rule.targets:
                self._deliver(_Delivery(rule, target, published, text, self._clock.now))

    def _deliver(self, delivery: "_Delivery") -> None:
        queue = delivery.target.queue
        self._clock.at(self._clock.now, lambda: self._attempt(delivery, 0, self._faults_of(queue)))

    def _attempt(self, delivery: "_Delivery", retries: int, faults: Sequence[Fault]) -> None:
        error = self._problem(delivery, delivery.target.queue)
        if error:
            # Trying again would not change what is not allowed.
            self._give_up(delivery, retries, *error, exhausted=None)
            return
        if any(fault.undeliverable for fault in faults):
            self._retry(delivery, retries)
            return
        for _ in range(max([1, *(fault.copies for fault in faults)])):
            self._put(delivery)

    def _put(self, delivery: "_Delivery") -> None:
        queue = delivery.target.queue
        message_id = queue.send(delivery.text, group=delivery.target.group)
        if queue.is_fifo and not queue.holds(message_id):
            self._history.note(queue.name, "knew as a duplicate", delivery.event.id)
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
                lambda: self._attempt(delivery, retries + 1, self._faults_of(target.queue)),
            )
            return
        self._give_up(delivery, retries, "SDK_CLIENT_ERROR", "can't be reached", exhausted)

    def _give_up(
        self, delivery: "_Delivery", retries: int, code: str, why: str, exhausted: str | None
    ) -> None:
        event, queue = delivery.event, delivery.target.queue
        dead_letters = delivery.target.dead_letters
        if dead_letters is None:
            why = f"{why}, and the target has no dead-letter queue"
            self._history.dropped(queue.name, event.type, event.id, why)
        elif problem := self._problem(delivery, dead_letters):
            why = f"{why}, and {problem[1]}"
            self._history.dropped(queue.name, event.type, event.id, why)
        else:
            attributes = {
                "RULE_ARN": delivery.rule.arn,
                "TARGET_ARN": queue.arn,
                "ERROR_CODE": code,
                "ERROR_MESSAGE": why,
                "RETRY_ATTEMPTS": str(retries),
            } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})
            message_id = dead_letters.send(delivery.text, attributes=attributes)
            self._history.sent(dead_letters.name, message_id, delivery.text)
        self._history.not_delivered(event, queue.name, why)

    def _problem(self, delivery: "_Delivery", queue: Queue) -> tuple[str, str] | None:
        """EventBridge's code for what keeps it from sending to that queue, and the reason."""
        call = Call("sqs:SendMessage", queue.arn, {"aws:SourceArn": [delivery.rule.arn]})
        if not allows_service(queue.statements, EVENTBRIDGE, call):
            return "NO_PERMISSIONS", (
                f"the policy of {queue.name} does not let EventBridge send for the rule "
                f"{delivery.rule.name}"
            )
        if queue.is_fifo and not queue.tells_duplicates_by_content:
            return "INVALID_PARAMETER", (
                f"{queue.name} wants an id by which to tell duplicates, and EventBridge gives none"
            )
        size = len(delivery.text.encode())
        if size > MAX_MESSAGE_BYTES:
            return "INVALID_PARAMETER", (
                f"the event has {size:,} bytes with its envelope; a queue takes "
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
    """The event as rules match it and targets get it. Its detail is passed on as it is written."""
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
    """What the rules want that come nearest to the event."""
    words = {event.type.lower(), event.source.lower()}
    near = [rule for rule in rules if any(word in rule.pattern_text.lower() for word in words)]
    if not near:
        return f"none of the bus's {len(rules)} rules names {event.source} or {event.type}"
    return "; ".join(f"{rule.name} wants {rule.pattern_text}" for rule in near)
