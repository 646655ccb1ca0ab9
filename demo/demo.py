"""`make demo`: real purchases through the whole system, with faults, and an audit."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Thread

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from urllib3.exceptions import HTTPError

from demo.audit import Evidence, Verdict, judge
from demo.drive import Progress, drive
from demo.end_of_day import close_books, publish_large_event
from demo.event_recorder import EventRecorder
from demo.observer import Observer
from demo.page_views import visit
from demo.purchases import Purchase, first_purchases
from demo.report import Show, as_json, as_table, display
from demo.settings import STAGE
from demo.surroundings import LocalShop, Surroundings
from patchbay.errors import UserError
from patchbay.local.deployment import deploy_locally
from patchbay.operations.consumers import deployed_consumers
from patchbay.processes.workspace import BUILD
from patchbay.project.naming import bus_name

REPORT = BUILD / "demo.json"
EVENTS_FOR_AN_ORDER = 2  # at least: it is placed, and its payment is taken or declined
CHECK_EVERY = 3.0  # seconds
PATIENCE = 90.0  # seconds without any change, after which the demo ends


def run(orders: int) -> int:
    """Run the demo with so many orders; return 1 if the audit finds an error."""
    console = Console()
    purchases = first_purchases(orders)
    with deploy_locally(Surroundings) as running:
        try:
            demo = Demo(running, purchases, console)
            evidence = demo.run()
            verdict = judge(evidence)
            outcome = demo.outcome(evidence, verdict)
        except (BotoCoreError, ClientError, HTTPError) as error:
            raise UserError(
                f"A request to the local cloud failed: {error}\n"
                f"Its log is {running.cloud.log_path}."
            ) from error
    REPORT.write_text(json.dumps(outcome, indent=2) + "\n")
    console.print(as_table(outcome))
    console.print(f"\nThe same as JSON is in {REPORT.relative_to(BUILD.parent)}.")
    if verdict:
        console.print(f"\n{verdict}", style="bold red", markup=False)
    return 1 if verdict else 0


class Demo:
    """One run of the demo on a deployed system."""

    def __init__(self, running: LocalShop, purchases: list[Purchase], console: Console) -> None:
        self._running = running
        self._purchases = purchases
        self._console = console
        self._shop = running.surroundings.shop
        self._recorder = EventRecorder(running.cloud)
        self._consumers = deployed_consumers(running.cloud, bus_name(STAGE))
        self._observer = Observer(running.cloud, self._consumers)
        self._progress = Progress(total=len(purchases))
        self._dead: set[tuple[str, str]] = set()
        self._visits: dict[str, tuple[int, int]] | None = None
        self._failure: BaseException | None = None
        self._seconds = 0.0
        self._began = datetime.now(UTC)
        self._closed = False

    def run(self) -> Evidence:
        """Place all orders, wait until the system is idle, and return the evidence."""
        started = time.monotonic()
        # A daemon thread, so that Ctrl-C does not wait for it.
        Thread(target=self._drive, daemon=True, name="drive").start()
        with display(self._console) as show:
            evidence = self._watch(show)
        self._seconds = time.monotonic() - started
        return evidence

    def outcome(self, evidence: Evidence, verdict: Verdict) -> dict[str, object]:
        """Return the report as JSON values."""
        self._observer.check()  # the last log lines come after the last message is deleted
        return as_json(
            progress=self._progress,
            evidence=evidence,
            observed=self._observer.observed,
            verdict=verdict,
            seconds={
                "setup": self._running.seconds_to_set_up,
                "deploy": self._running.seconds_to_deploy,
                "drive": self._seconds,
            },
        )

    def _drive(self) -> None:
        try:
            with ThreadPoolExecutor(1) as visitors:
                visits = visitors.submit(visit, self._shop, self._purchases)
                drive(self._shop, self._purchases, self._progress, self._has_failures)
                self._visits = visits.result()
        except BaseException as failure:  # noqa: BLE001 - the main thread raises it again
            self._failure = failure

    def _has_failures(self) -> bool:
        return any(seen.failed for seen in self._observer.observed.values())

    def _watch(self, show: Show) -> Evidence:
        """Wait until all orders are complete, or nothing has changed for PATIENCE seconds."""
        last_change = time.monotonic()
        before: object = None
        while True:
            self._observer.check()
            published = self._recorder.count()
            show(self._progress, published, self._observer.observed)
            if self._failure:
                raise UserError(f"The demo ended early. {self._failure}") from self._failure
            if self._is_over() and self._observer.idle() and self._all_published(published):
                if not self._closed:
                    self._close()
                    continue
                evidence = self._gather()
                if not judge(evidence):
                    return evidence
            now = (published, self._observer.progress(), len(self._progress.accepted))
            if now != before:
                before, last_change = now, time.monotonic()
            if time.monotonic() - last_change > PATIENCE:
                return self._gather()
            time.sleep(CHECK_EVERY)

    def _close(self) -> None:
        """End the day: publish a large event, and close the books."""
        self._closed = True
        statuses = self._shop.statuses()
        shipped = (order for order, status in statuses.items() if status == "shipped")
        if order := next(shipped, None):
            publish_large_event(self._running.cloud, order)
        close_books(self._running.cloud, self._began)

    def _is_over(self) -> bool:
        return self._progress.done and self._visits is not None

    def _all_published(self, published: int) -> bool:
        return published >= EVENTS_FOR_AN_ORDER * len(self._progress.accepted)

    def _gather(self) -> Evidence:
        published = self._recorder.events()
        # A dead letter that was received is invisible for a while, so earlier results are kept.
        self._dead |= {
            (consumer.name, event_id)
            for consumer in self._consumers
            for event_id in self._shop.dead_letters_of(consumer)
        }
        ids = {event.event_id for event in published if event.event_id}
        return Evidence(
            accepted=self._progress.accepted,
            statuses=self._shop.statuses(),
            visited=self._visits or {},
            counted=self._shop.counters(),
            parcels=self._shop.parcels(),
            taken_from_stock=self._shop.taken_from_stock(),
            published=published,
            consumers=self._consumers,
            journalled=self._shop.journalled(),
            booked=self._shop.booked(),
            handled={
                (consumer.name, event_id)
                for consumer in self._consumers
                for event_id in self._shop.handled_by(consumer, ids)
            },
            dead=self._dead,
            ledger=self._shop.ledger(),
            mails=self._shop.mails(),
        )
