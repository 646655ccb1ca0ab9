"""The patch bay as the page draws it: first as a template's values, then as what has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from patchbay.console.drawing import fill, pace
from patchbay.operations.formatting import count, cut, duration, rate
from patchbay.operations.health.health import Board, Doing, State

WORDS: Mapping[State, str] = {
    "well": "Well",
    "failing": "Failing",
    "behind": "Behind",
    "paused": "Paused",
    "dead": "Dead letters",
}
HUES = 8  # colours of cables that console.css knows
LETTERS = 12  # drawn in a tray, however many there are
ANY = "*"


@dataclass(frozen=True)
class Jack:
    """Where cables are plugged into the bus."""

    key: str
    title: str
    hue: int
    """0 for the one that gives everything."""
    events: tuple[str, ...] = ()


def jacks(board: Board) -> list[Jack]:
    """A jack a source, each in its colour, and one for who listens to all."""
    found = [
        Jack(source.name, source.name, 1 + number % HUES, source.events)
        for number, source in enumerate(board.sources)
    ]
    known = {jack.key for jack in found}
    # What listens to a source that nobody publishes as shows that nothing will come.
    strangers = sorted({cable.jack for cable in board.cables} - known - {ANY})
    found += [Jack(name, name, 1 + (len(found) + n) % HUES) for n, name in enumerate(strangers)]
    if any(cable.source is None for cable in board.cables):
        found.append(Jack(ANY, "everything", 0))
    return found


def shape(board: Board) -> str:
    """Changes when something is plugged in or out, and then the page must be drawn anew."""
    names = [consumer.name for consumer in board.consumers]
    drawn = repr((board.sources, board.cables, names))
    return sha256(drawn.encode()).hexdigest()[:16]


def cables(board: Board) -> list[dict[str, Any]]:
    """Every cable, for the script that draws them."""
    hues = {jack.key: jack.hue for jack in jacks(board)}
    drawn = [
        {"from": cable.jack, "to": cable.consumer, "hue": hues[cable.jack]}
        for cable in board.cables
    ]
    drawn += [{"from": source.name, "to": "", "hue": hues[source.name]} for source in board.sources]
    return drawn


def changes(board: Board) -> dict[str, Any]:
    """What the page needs to be brought up to date: texts, and how much of something is drawn."""
    hues = {jack.key: jack.hue for jack in jacks(board)}
    return {
        "shape": shape(board),
        "at": f"{board.at:%H:%M:%S}",
        "consumers": {each.name: changes_of(each) for each in board.consumers},
        "sources": {
            source.name: {"rate": rate(board.rates.get((source.name, "")))}
            for source in board.sources
        },
        "passing": [
            {
                "at": f"{each.at:%H:%M:%S.%f}"[:-3],
                "type": cut(each.type, 60),
                "journey": cut(each.correlation_id, 80),
                "hue": hues.get(each.source or ANY, 0),
            }
            for each in board.passing
        ],
        "paces": {
            f"{jack}>{consumer}": pace(per_second)
            for (jack, consumer), per_second in board.rates.items()
        },
    }


def changes_of(doing: Doing) -> dict[str, Any]:
    """How a consumer does, in the words that stand on its card."""
    return {
        "state": doing.state,
        "fill": fill(doing.queued),
        "letters": min(doing.dead, LETTERS),
        "text": {
            "state": WORDS[doing.state],
            "queued": count(doing.queued),
            "waiting": count(doing.waiting),
            "in_flight": count(doing.in_flight),
            "oldest": duration(doing.oldest),
            "rate": rate(doing.per_second),
            "p95": duration(doing.p95),
            "dead": count(doing.dead),
            "because": cut(doing.because or "") if doing.state == "failing" else "",
        },
    }


def details(doing: Doing, board: Board) -> dict[str, Any]:
    """All that is known of a consumer."""
    return {
        **changes_of(doing),
        "name": doing.name,
        "queue": doing.queue,
        "log_group": doing.log_group,
        "gets": [cable for cable in board.cables if cable.consumer == doing.name],
        "failures": [
            {
                "at": f"{each.at:%H:%M:%S}",
                "type": cut(each.type, 60),
                "journey": each.correlation_id,
                "number": each.number,
                "reason": cut(each.reason or "", 500),
            }
            for each in reversed(doing.failures)
        ],
    }
