"""Looks at a deployment: what is plugged in where, and how each consumer does."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from patchbay.operations.catalogue.catalogue import known_events
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue
from patchbay.operations.dead_letters.queues import counted, queues
from patchbay.operations.health.activity import PAGES, Pulse
from patchbay.operations.health.health import Board, Cable, Doing, Source, State
from patchbay.operations.health.queue_ages import oldest_messages
from patchbay.operations.health.traffic import passing, rates
from patchbay.operations.pause import name_in, paused_queues, queue_name
from patchbay.operations.queue_depth import Depth, depth
from patchbay.operations.templates import deployed_templates
from patchbay.project.naming import bus_name
from patchbay.topology.consumers import Consumer
from patchbay.topology.routes import owner
from patchbay.topology.rules import Rule

PLAN_HOLDS = timedelta(minutes=1)  # what is deployed changes rarely, and takes longer to ask
AT_ONCE = 10  # requests; as many connections as a client keeps open
BEHIND_AFTER = 30.0  # seconds that an event waits
FAILURES = 8  # the newest, that are shown


@dataclass(frozen=True)
class Plan:
    """What is plugged in where."""

    at: datetime
    sources: tuple[Source, ...]
    cables: tuple[Cable, ...]
    consumers: tuple[Consumer, ...]
    dead_letters: tuple[DeadLetterQueue, ...] = ()
    ages: Mapping[str, float] = field(default_factory=dict)
    """Of the oldest message, in seconds, by its queue's name."""


class Watch:
    """One look after the other, each of which knows the ones before."""

    def __init__(self, clients: Clients, stage: str, pages: int = PAGES) -> None:
        """`pages` are how many of each log are read at a look."""
        self._pages = pages
        self._clients = clients
        self._stage = stage
        self._plan: Plan | None = None
        self._pulses: dict[str, Pulse] = {}
        self._empty_at: dict[str, datetime] = {}
        """When each consumer's queue was last seen empty, by its name."""
        self._looking = Lock()

    def look(self) -> Board:
        """What there is, and how it does; raises UserError."""
        with self._looking:
            return self._look()

    def _look(self) -> Board:
        now = datetime.now(UTC)
        if self._plan is None or now - self._plan.at > PLAN_HOLDS:
            self._plan = plan(self._clients, self._stage, now)
        there = self._plan
        paused = paused_queues(self._clients)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            letters = tuple(
                pool.map(lambda queue: counted(self._clients, queue), there.dead_letters)
            )
            doing = tuple(
                pool.map(lambda each: self._look_at(each, paused, letters, now), there.consumers)
            )
        attempts = {each.name: self._pulses[each.name].just_now(now) for each in there.consumers}
        return Board(
            now,
            there.sources,
            there.cables,
            doing,
            rates(there.sources, there.cables, attempts),
            passing(there.sources, attempts),
            {name: pulse.attempts for name, pulse in self._pulses.items()},
            letters,
        )

    def _look_at(
        self,
        consumer: Consumer,
        paused: set[str],
        letters: Iterable[DeadLetterQueue],
        now: datetime,
    ) -> Doing:
        sqs = self._clients.client("sqs")
        pulse = self._pulses.setdefault(consumer.name, Pulse(consumer))
        pulse.listen(self._clients.client("logs"), now, self._pages)
        urls = [url for url in (consumer.intake_url, consumer.queue_url) if url]
        queued = sum((depth(sqs, url) for url in urls), Depth())
        if not queued.total:
            self._empty_at[consumer.name] = now
        oldest = self._oldest(urls) if queued.total else None
        dead = sum(queue.count for queue in letters if queue.owner == consumer.name)
        is_paused = queue_name(consumer) in paused
        failures = pulse.failures
        return Doing(
            name=consumer.name,
            state=_state(
                pulse, queued.total, oldest, dead, is_paused, now, self._empty_at.get(consumer.name)
            ),
            waiting=queued.waiting,
            in_flight=queued.in_flight,
            dead=dead,
            oldest=oldest,
            handled=len(pulse.attempts) - len(failures),
            failed=len(failures),
            at_least=pulse.at_least,
            per_second=pulse.per_second(now),
            p95=pulse.p95,
            failures=tuple(failures[-FAILURES:]),
            queue=queue_name(consumer),
            log_group=consumer.log_group,
        )

    def _oldest(self, urls: Iterable[str]) -> float | None:
        assert self._plan
        ages = [self._plan.ages.get(name_in(url)) for url in urls]
        return max((age for age in ages if age is not None), default=None)


def _state(
    pulse: Pulse,
    queued: int,
    oldest: float | None,
    dead: int,
    is_paused: bool,
    now: datetime,
    empty_at: datetime | None,
) -> State:
    if is_paused:
        return "paused"
    if pulse.is_failing(now) and queued:
        return "failing"
    quiet = pulse.quiet_for(now)
    if len(pulse.attempts) == len(pulse.failures):
        # Nothing was handled for longer than is remembered: what waits tells since when.
        quiet = max(quiet, oldest or 0)
    if empty_at:  # what is there has come since then, and can't have waited for longer
        quiet = min(quiet, (now - empty_at).total_seconds())
    if queued and quiet > BEHIND_AFTER:
        return "behind"
    return "dead" if dead else "well"


def plan(clients: Clients, stage: str, now: datetime) -> Plan:
    """What is plugged in where; raises UserError where nothing is deployed."""
    published: dict[str, set[str]] = defaultdict(set)
    for event in known_events(deployed_templates(clients, stage)):
        if event.publishers:
            published[owner(event.source)].add(event.type)
    consumers = tuple(deployed_consumers(clients, bus_name(stage)))
    filled = [url for each in consumers for url in (each.intake_url, each.queue_url) if url]
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
        dead_letters=tuple(queues(clients, stage)),
        ages=oldest_messages(clients, map(name_in, filled), now),
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
