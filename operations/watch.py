"""Looks at a deployment: what is plugged in where, and how each consumer does."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from operations.board import Board, Cable, Doing, Source, State
from operations.catalogue import known_events
from operations.clients import Clients
from operations.consumers import Consumer, Rule, deployed_consumers
from operations.pause import paused_queues, queue_name
from operations.pulse import Pulse
from operations.templates import deployed_templates
from operations.traffic import passing, rates
from stacks.naming import bus_name
from stacks.routes import owner

PLAN_HOLDS = timedelta(minutes=1)  # what is deployed changes rarely, and takes longer to ask
AT_ONCE = 10  # requests; as many connections as a client keeps open
BEHIND_AFTER = 30.0  # seconds that an event waits
FAILURES = 8  # the newest, that are shown
DEPTH = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True)
class Plan:
    """What is plugged in where."""

    at: datetime
    sources: tuple[Source, ...]
    cables: tuple[Cable, ...]
    consumers: tuple[Consumer, ...]


class Watch:
    """One look after the other, each of which knows the ones before."""

    def __init__(self, clients: Clients, stage: str) -> None:
        self._clients = clients
        self._stage = stage
        self._plan: Plan | None = None
        self._pulses: dict[str, Pulse] = {}
        self._looking = Lock()

    def look(self) -> Board:
        """What there is, and how it does; raises OperationFailed."""
        with self._looking:
            return self._look()

    def _look(self) -> Board:
        now = datetime.now(UTC)
        if self._plan is None or now - self._plan.at > PLAN_HOLDS:
            self._plan = plan(self._clients, self._stage, now)
        paused = paused_queues(self._clients)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            doing = tuple(
                pool.map(lambda each: self._look_at(each, paused, now), self._plan.consumers)
            )
        attempts = {
            consumer.name: self._pulses[consumer.name].just_now(now)
            for consumer in self._plan.consumers
        }
        return Board(
            now,
            self._plan.sources,
            self._plan.cables,
            doing,
            rates(self._plan.sources, self._plan.cables, attempts),
            passing(self._plan.sources, attempts),
            {name: pulse.attempts for name, pulse in self._pulses.items()},
        )

    def _look_at(self, consumer: Consumer, paused: set[str], now: datetime) -> Doing:
        sqs = self._clients.client("sqs")
        pulse = self._pulses.setdefault(consumer.name, Pulse(consumer))
        pulse.listen(self._clients.client("logs"), now)
        urls = [url for url in (consumer.intake_url, consumer.queue_url) if url]
        waiting, in_flight = map(sum, zip(*(_depth(sqs, url) for url in urls), strict=True))
        dead = sum(_depth(sqs, consumer.dead_letters_url))
        is_paused = queue_name(consumer) in paused
        failures = pulse.failures
        return Doing(
            name=consumer.name,
            state=_state(pulse, waiting + in_flight, dead, is_paused, now),
            waiting=waiting,
            in_flight=in_flight,
            dead=dead,
            per_second=pulse.per_second(now),
            p95=pulse.p95,
            failures=tuple(failures[-FAILURES:]),
            queue=queue_name(consumer),
            log_group=consumer.log_group,
        )


def _state(pulse: Pulse, queued: int, dead: int, is_paused: bool, now: datetime) -> State:
    if is_paused:
        return "paused"
    if pulse.is_failing(now) and queued:
        return "failing"
    if queued and pulse.quiet_for(now) > BEHIND_AFTER:
        return "behind"
    return "dead" if dead else "well"


def plan(clients: Clients, stage: str, now: datetime) -> Plan:
    """What is plugged in where; raises OperationFailed where nothing is deployed."""
    published: dict[str, set[str]] = defaultdict(set)
    for event in known_events(deployed_templates(clients, stage), stage):
        if event.publishers:
            published[owner(event.source)].add(event.type)
    consumers = tuple(deployed_consumers(clients, bus_name(stage)))
    return Plan(
        at=now,
        sources=tuple(Source(name, tuple(sorted(published[name]))) for name in sorted(published)),
        cables=tuple(
            cable
            for consumer in consumers
            for rule in consumer.rules
            for cable in cables_of(rule, consumer.name)
        ),
        consumers=consumers,
    )


def cables_of(rule: Rule, consumer: str) -> Iterator[Cable]:
    """A rule as cables: one for each source that it names, or one for all of them."""
    pattern: Mapping[str, Any] = json.loads(rule.pattern)
    events = tuple(sorted(each for each in pattern.get("detail-type", []) if isinstance(each, str)))
    sources = pattern.get("source", [])
    if not sources or not all(isinstance(source, str) for source in sources):
        yield Cable(None, consumer, events, "detail" in pattern)
        return
    for source in sources:
        yield Cable(owner(source), consumer, events, "detail" in pattern)


def _depth(sqs: Any, url: str) -> tuple[int, int]:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(DEPTH))
    visible, hidden = (int(answer["Attributes"][name]) for name in DEPTH)
    return visible, hidden
