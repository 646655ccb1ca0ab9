"""The figure of a run, as SVG: a row for each fault, with the two shops side by side."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from demo.coupling.names import EVENT_DRIVEN, REQUEST_RESPONSE
from demo.coupling.report import dollars_of, title_of

WIDTH = 900
MARGIN = 28
FIRST_ROW = 132
ROW = 50
FOOT = 66
BAR_WIDTH, BAR_HEIGHT = 190, 20
COLUMNS = {EVENT_DRIVEN: 224, REQUEST_RESPONSE: 568}  # where the bars begin
WAIT_AT = 304  # from the beginning of the bars to the end of the answer's time
HEADINGS = {EVENT_DRIVEN: "Coupled by events", REQUEST_RESPONSE: "Coupled by requests"}
LONG = 1.0  # seconds that a customer notices
NARROW, WIDE = 30, 70  # pixels that a number needs, and a number with a word

STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de }
  .ink, .faint, .bad, .on { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, \
sans-serif; font-size: 14px; fill: #1f2328 }
  .title { font-size: 20px; font-weight: 600 }
  .bold { font-weight: 600 }
  .faint { font-size: 12px; fill: #59636e }
  .bad { font-weight: 600; fill: #c4321c }
  .small { font-size: 12px }
  .on { font-size: 12px; font-weight: 600; fill: #ffffff }
  .done { fill: #1f883d }
  .failed { fill: #c4321c }
  .rule { stroke: #d0d7de }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #3d444d }
    .ink { fill: #f0f6fc }
    .faint { fill: #9198a1 }
    .bad { fill: #ff8170 }
    .done { fill: #238636 }
    .failed { fill: #d1442f }
    .rule { stroke: #3d444d }
  }
"""


def draw(report: Mapping[str, Any]) -> str:
    """Return the figure of a report; the same report gives the same bytes."""
    scenarios: Sequence[Mapping[str, Any]] = report["scenarios"]
    height = FIRST_ROW + ROW * len(scenarios) + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title desc">',
        '<title id="title">What becomes of the orders while one service is broken</title>',
        f'<desc id="desc">{escape(in_words(report))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        *_head(),
    ]
    for number, scenario in enumerate(scenarios):
        lines += _row(scenario, FIRST_ROW + ROW * number)
    lines += [*_foot(report, FIRST_ROW + ROW * len(scenarios)), "</svg>"]
    return "\n".join(lines) + "\n"


def in_words(report: Mapping[str, Any]) -> str:
    """Return the figure's content in words, for screen readers."""
    return " ".join(
        f"{title_of(scenario).capitalize()}: "
        + "; ".join(
            f"{name}, {side['finished']} of {side['placed']} orders finished, answered within "
            f"{_wait(side)}"
            for name, side in scenario["sides"].items()
        )
        + "."
        for scenario in report["scenarios"]
    )


def _head() -> Iterator[str]:
    yield _text(MARGIN, 42, "One service breaks for a while. What becomes of the orders?",
                "ink title")  # fmt: skip
    yield _text(MARGIN, 100, "What is broken", "ink bold")
    for name, x in COLUMNS.items():
        yield _text(x, 82, HEADINGS[name], "ink bold")
        yield _text(x, 100, "orders finished in the end", "faint")
        yield _text(x + WAIT_AT, 100, "answer, p95", "faint", anchor="end")
    yield _rule(112)


def _row(scenario: Mapping[str, Any], y: int) -> Iterator[str]:
    title = title_of(scenario)
    yield _text(MARGIN, y + 12, title[0].upper() + title[1:], "ink bold")
    if scenario["fault"] != "none":
        yield _text(MARGIN, y + 28, scenario["what"], "faint")
    for name, x in COLUMNS.items():
        yield from _side(scenario["sides"][name], x, y)


def _side(side: Mapping[str, Any], x: int, y: int) -> Iterator[str]:
    finished, failed = side["finished"], side["placed"] - side["finished"]
    width = round(BAR_WIDTH * finished / side["placed"])
    parts = (("done", x, width, finished), ("failed", x + width, BAR_WIDTH - width, failed))
    for kind, start, length, count in parts:
        if not count:
            continue
        yield (
            f'<rect class="{kind}" x="{start}" y="{y - 2}" width="{length}" height="{BAR_HEIGHT}"/>'
        )
        if length >= NARROW:
            word = str(count) if kind == "done" or length < WIDE else f"{count} failed"
            yield _text(start + 8, y + 12, word, "on")
    of_all = "all" if not failed else f"{round(100 * finished / side['placed'])} %"
    yield _text(x + BAR_WIDTH + 10, y + 13, of_all, "bad" if failed else "ink")
    slow = (side["answer"]["p95"] or 0.0) >= LONG
    yield _text(x + WAIT_AT, y + 13, _wait(side), "bad" if slow else "ink", anchor="end")
    if x == COLUMNS[EVENT_DRIVEN] and (later := side["finish"]["p95"]):
        yield _text(x, y + 32, f"finished in {later:.2f} s, p95", "faint")  # after the answer
    if charged := side["charged_but_not_finished"]:
        words = f"{charged} of them had paid"
        yield _text(x + BAR_WIDTH, y + 32, words, "bad small", anchor="end")


def _foot(report: Mapping[str, Any], y: int) -> Iterator[str]:
    yield _rule(y - 4)
    well = report["scenarios"][0]["sides"]
    events, requests = (dollars_of(well[name]) for name in (EVENT_DRIVEN, REQUEST_RESPONSE))
    yield _text(
        MARGIN, y + 22,
        f"Each bar: {report['orders']} real orders, {report['rate']:g} a second; broken for over "
        "half of that time, and then mended. Both sides at once.", "faint",
    )  # fmt: skip
    yield _text(
        MARGIN, y + 42,
        f"What it costs while all is well: ${events:.2f} for a million orders by events, "
        f"${requests:.2f} by requests.", "faint",
    )  # fmt: skip


def _wait(side: Mapping[str, Any]) -> str:
    p95 = side["answer"]["p95"]
    return "-" if p95 is None else f"{p95:.2f} s"


def _text(x: int, y: int, words: str, kind: str, *, anchor: str = "start") -> str:
    where = f'x="{x}" y="{y}"' + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f'<text class="{kind}" {where}>{escape(words)}</text>'


def _rule(y: int) -> str:
    return f'<line class="rule" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y}" y2="{y}"/>'
