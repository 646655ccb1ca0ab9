"""The demo's output: a live display while it runs, and in the end a table and JSON."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo.audit import Evidence, Verdict
from demo.drive import Progress
from demo.observer import Observed
from patchbay.operations.formatting import percentile
from patchbay.topology.consumers import Consumer

MAIL_DOWN = "down: SES refuses to send"
PRINT_EVERY = 5.0  # seconds, where there is no terminal to draw on


Show = Callable[[Progress, int, Mapping[Consumer, Observed]], None]


@contextmanager
def display(console: Console) -> Iterator[Show]:
    """Yield a function that shows the progress: live, or as lines where there is no terminal."""
    if not console.is_terminal:
        yield _line_printer(console)
        return
    with Live(console=console, transient=True) as live:
        yield lambda *state: live.update(render_live(*state))


def _line_printer(console: Console) -> Show:
    printed_at = -PRINT_EVERY

    def print_line(
        progress: Progress, published: int, observed: Mapping[Consumer, Observed]
    ) -> None:
        nonlocal printed_at
        if time.monotonic() - printed_at < PRINT_EVERY:
            return
        printed_at = time.monotonic()
        consumers = ", ".join(
            f"{consumer.name} {_brief(seen)}" for consumer, seen in observed.items()
        )
        mails = f"; mail service {MAIL_DOWN}" if progress.mail_is_down else ""
        console.print(
            f"{len(progress.accepted):,} of {progress.total:,} orders accepted, "
            f"{published:,} events published; handled (waiting): {consumers}{mails}",
            soft_wrap=True,
        )

    return print_line


def _brief(seen: Observed) -> str:
    return f"{seen.handled:,} ({seen.waiting + seen.in_flight:,})"


def render_live(
    progress: Progress, published: int, observed: Mapping[Consumer, Observed]
) -> RenderableType:
    """Return the live display: the orders, the bus, and each consumer with its queue."""
    orders = Table.grid(padding=(0, 2))
    orders.add_row(
        "orders accepted",
        f"{len(progress.accepted):,} of {progress.total:,}",
        ProgressBar(total=progress.total, completed=len(progress.accepted), width=40),
    )
    orders.add_row("events published", f"{published:,}", "")
    mails = (
        Text(MAIL_DOWN, style="bold red") if progress.mail_is_down else Text("up", style="green")
    )
    orders.add_row("the mail service", mails, "")
    return Group(orders, Text(), _live_table(observed))


def _live_table(observed: Mapping[Consumer, Observed]) -> Table:
    table = Table("consumer")
    for column in ("waiting", "in flight", "handled", "failed", "dead letters"):
        table.add_column(column, justify="right")
    for consumer, seen in observed.items():
        table.add_row(
            consumer.name,
            f"{seen.waiting:,}",
            f"{seen.in_flight:,}",
            f"{seen.handled:,}",
            _alarming(seen.failed, "yellow"),
            _alarming(seen.dead_lettered, "red"),
        )
    return table


def _alarming(number: int, style: str) -> Text:
    return Text(f"{number:,}", style=style if number else "")


def as_json(
    *,
    progress: Progress,
    evidence: Evidence,
    observed: Mapping[Consumer, Observed],
    verdict: Verdict,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Return the outcome as JSON values. Milliseconds count from published to handled."""
    handled = Counter(consumer for consumer, _ in evidence.handled)
    published = Counter(event.detail_type for event in evidence.published)
    return {
        "orders": len(progress.accepted),
        "ended": dict(sorted(Counter(evidence.statuses.values()).items())),
        "published": dict(sorted(published.items())),
        "consumers": {
            consumer.name: {
                # A naturally idempotent consumer has no table, but logs each event.
                "handled": handled[consumer.name] if consumer.idempotency_table else seen.handled,
                "failed": seen.failed,
                "dead_lettered": seen.dead_lettered,
                "p50_ms": _rounded(seen.percentile(50)),
                "p95_ms": _rounded(seen.percentile(95)),
                **_p95_by_outage(seen, progress),
            }
            for consumer, seen in observed.items()
        },
        "lost": len(verdict.lost),
        "charged_twice": len(verdict.charged_twice),
        "missing_from_stock": verdict.missing_from_stock,
        "missing_from_books": float(verdict.missing_from_books),
        "by_claim_check": sum(event.claimed for event in evidence.published),
        "visits": sum(map(sum, evidence.visited.values())),
        "miscounted": len(verdict.miscounted),
        "seconds": {what: round(took, 1) for what, took in seconds.items()},
    }


def _p95_by_outage(seen: Observed, progress: Progress) -> dict[str, float | None]:
    """Return the 95th percentiles of the latency during the outage and otherwise."""
    during: list[float] = []
    other: list[float] = []
    for moment, latency in seen.latencies:
        (during if progress.during_the_outage(moment) else other).append(latency)
    return {
        "p95_ms_while_mails_were_down": _rounded(percentile(during, 95)),
        "p95_ms_otherwise": _rounded(percentile(other, 95)),
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


def as_table(outcome: Mapping[str, Any]) -> RenderableType:
    """Return the outcome as a table."""
    consumers = Table(title="Consumers", title_justify="left")
    consumers.add_column("consumer", no_wrap=True)
    for column in ("handled", "failed attempts", "dead letters", "p50", "p95", "p95, mails down"):
        consumers.add_column(column, justify="right")
    for name, seen in outcome["consumers"].items():
        consumers.add_row(
            name,
            f"{seen['handled']:,}",
            _alarming(seen["failed"], "yellow"),
            _alarming(seen["dead_lettered"], "red"),
            _seconds(seen["p50_ms"]),
            _seconds(seen["p95_ms"]),
            _seconds(seen["p95_ms_while_mails_were_down"]),
        )
    facts = Table.grid(padding=(0, 2))
    facts.add_row("orders accepted", f"{outcome['orders']:,}")
    ended = (f"{count:,} {status}" for status, count in outcome["ended"].items())
    facts.add_row("ended", ", ".join(ended))
    facts.add_row("visits counted", f"{outcome['visits']:,}")
    published = (f"{count:,} {event}" for event, count in outcome["published"].items())
    facts.add_row("events published", ", ".join(published))
    facts.add_row("by claim check", f"{outcome['by_claim_check']:,}, of 3 MiB")
    for what in (
        "lost", "charged_twice", "missing_from_stock", "missing_from_books", "miscounted",
    ):  # fmt: skip
        number = outcome[what]
        style = "bold red" if number else "bold green"
        facts.add_row(what.replace("_", " "), Text(f"{number:,g}", style=style))
    times = (f"{what} {took} s" for what, took in outcome["seconds"].items())
    facts.add_row("took", ", ".join(times))
    return Group(Text(), consumers, Text(), facts)


def _seconds(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
