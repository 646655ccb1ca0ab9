"""The monitor of a deployment: its publishers, subscriptions, and each consumer's health."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from patchbay.operations.catalogue.catalogue import known_events
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue
from patchbay.operations.dead_letters.queues import queues, recounted
from patchbay.operations.health.activity import PAGES, Activity
from patchbay.operations.health.health import (
    ConsumerHealth,
    PublishingService,
    ServiceSubscription,
    State,
    SystemHealth,
)
from patchbay.operations.health.queue_ages import oldest_messages
from patchbay.operations.health.traffic import rates, recent_events
from patchbay.operations.pause import name_in, paused_queues, queue_name
from patchbay.operations.queue_depth import Depth, depth
from patchbay.operations.templates import deployed_templates
from patchbay.project.naming import bus_name
from patchbay.topology.consumers import Consumer
from patchbay.topology.routes import owner
from patchbay.topology.rules import Rule

DEPLOYED_FOR = timedelta(minutes=1)  # resources change rarely, and take long to list
MAX_THREADS = 10  # as many connections as a boto3 client keeps open
BEHIND_AFTER = 30.0  # seconds that an event waits
FAILURES = 8  # the newest, which are shown


@dataclass(frozen=True)
class Deployed:
    """The deployed publishers, subscriptions, consumers and dead-letter queues."""

    at: datetime
    publishers: tuple[PublishingService, ...]
    subscriptions: tuple[ServiceSubscription, ...]
    consumers: tuple[Consumer, ...]
    dead_letters: tuple[DeadLetterQueue, ...] = ()
    ages: Mapping[str, float] = field(default_factory=dict)
    """The age of the oldest message in seconds, by the queue's name."""


class Monitor:
    """A monitor of a stage, which is checked again and again: each check reads only what is new."""

    def __init__(self, clients: Clients, stage: str, pages: int = PAGES) -> None:
        """Create a monitor that reads at most `pages` pages of each log in a check."""
        self._pages = pages
        self._clients = clients
        self._stage = stage
        self._deployed: Deployed | None = None
        self._activities: dict[str, Activity] = {}
        self._empty_at: dict[str, datetime] = {}
        """The time when each consumer's queue was last empty, by the consumer's name."""
        self._lock = Lock()

    def check(self) -> SystemHealth:
        """Return the stage's health; raises UserError if it is not deployed."""
        with self._lock:
            return self._check()

    def _check(self) -> SystemHealth:
        now = datetime.now(UTC)
        if self._deployed is None or now - self._deployed.at > DEPLOYED_FOR:
            self._deployed = deployed(self._clients, self._stage, now)
        known = self._deployed
        paused = paused_queues(self._clients)
        with ThreadPoolExecutor(MAX_THREADS) as pool:
            dead_letters = tuple(
                pool.map(lambda queue: recounted(self._clients, queue), known.dead_letters)
            )
            consumers = tuple(
                pool.map(
                    lambda each: self._check_consumer(each, paused, dead_letters, now),
                    known.consumers,
                )
            )
        attempts = {each.name: self._activities[each.name].recent(now) for each in known.consumers}
        return SystemHealth(
            now,
            known.publishers,
            known.subscriptions,
            consumers,
            rates(known.publishers, known.subscriptions, attempts),
            recent_events(known.publishers, attempts),
            {name: activity.attempts for name, activity in self._activities.items()},
            dead_letters,
        )

    def _check_consumer(
        self,
        consumer: Consumer,
        paused: set[str],
        dead_letters: Iterable[DeadLetterQueue],
        now: datetime,
    ) -> ConsumerHealth:
        sqs = self._clients.client("sqs")
        activity = self._activities.setdefault(consumer.name, Activity(consumer))
        activity.poll(self._clients.client("logs"), now, self._pages)
        urls = [url for url in (consumer.intake_url, consumer.queue_url) if url]
        queued = sum((depth(sqs, url) for url in urls), Depth())
        if not queued.total:
            self._empty_at[consumer.name] = now
        oldest = self._oldest(urls) if queued.total else None
        dead = sum(queue.count for queue in dead_letters if queue.owner == consumer.name)
        is_paused = queue_name(consumer) in paused
        failures = activity.failures
        return ConsumerHealth(
            name=consumer.name,
            state=_state(
                activity,
                queued.total,
                oldest,
                dead,
                is_paused,
                now,
                self._empty_at.get(consumer.name),
            ),
            waiting=queued.waiting,
            in_flight=queued.in_flight,
            dead=dead,
            oldest=oldest,
            handled=len(activity.attempts) - len(failures),
            failed=len(failures),
            at_least=activity.at_least,
            per_second=activity.per_second(now),
            p95=activity.p95,
            failures=tuple(failures[-FAILURES:]),
            queue=queue_name(consumer),
            log_group=consumer.log_group,
        )

    def _oldest(self, urls: Iterable[str]) -> float | None:
        assert self._deployed
        ages = [self._deployed.ages.get(name_in(url)) for url in urls]
        return max((age for age in ages if age is not None), default=None)


def _state(
    activity: Activity,
    queued: int,
    oldest: float | None,
    dead: int,
    is_paused: bool,
    now: datetime,
    empty_at: datetime | None,
) -> State:
    if is_paused:
        return "paused"
    if activity.is_failing(now) and queued:
        return "failing"
    idle = activity.idle_for(now)
    if len(activity.attempts) == len(activity.failures):
        # Nothing was handled in the whole window: the oldest message shows since when.
        idle = max(idle, oldest or 0)
    if empty_at:  # all messages came after that time, and can't have waited longer
        idle = min(idle, (now - empty_at).total_seconds())
    if queued and idle > BEHIND_AFTER:
        return "behind"
    return "dead" if dead else "well"


def deployed(clients: Clients, stage: str, now: datetime) -> Deployed:
    """Read publishers, subscriptions and queues; raises UserError if nothing is deployed."""
    published: dict[str, set[str]] = defaultdict(set)
    for event in known_events(deployed_templates(clients, stage)):
        if event.publishers:
            published[owner(event.source)].add(event.type)
    consumers = tuple(deployed_consumers(clients, bus_name(stage)))
    urls = [url for each in consumers for url in (each.intake_url, each.queue_url) if url]
    return Deployed(
        at=now,
        publishers=tuple(
            PublishingService(name, tuple(sorted(published[name]))) for name in sorted(published)
        ),
        subscriptions=tuple(
            subscription
            for consumer in consumers
            for rule in consumer.rules
            for subscription in subscriptions_of(rule, consumer.name)
        ),
        consumers=consumers,
        dead_letters=tuple(queues(clients, stage)),
        ages=oldest_messages(clients, map(name_in, urls), now),
    )


def subscriptions_of(rule: Rule, consumer: str) -> Iterator[ServiceSubscription]:
    """Yield a subscription for each service whose source a rule names, or one for all services."""
    publishers: list[str | None] = [owner(source) for source in rule.sources]
    for publisher in publishers or [None]:
        yield ServiceSubscription(publisher, consumer, rule.detail_types, rule.is_filtered)
