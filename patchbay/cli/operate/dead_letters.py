"""`patchbay dead-letters`."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from patchbay.cli.operate import redrive
from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import Environment
from patchbay.operations.escape import escape, escape_lines, indented

if TYPE_CHECKING:
    from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue
    from patchbay.operations.log_lines import Line

LIST = "list"
SHORT_ID = 8  # characters; enough for `show` to find a dead letter
MAX_REASON = 200  # characters, in the list
MAX_FACT = 2_000
MAX_BODY = 10_000  # characters; --json has all
UNREADABLE = "(unreadable)"


class ListsByDefault(TyperGroup):
    """A group of commands whose default command is `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in self.commands and first != "--help" and not ctx.resilient_parsing:
            args = [LIST, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ListsByDefault,
    rich_markup_mode=None,
    help="List dead letters, and show, redrive or discard them. Lists by default.",
)
app.command()(redrive.redrive)
app.command()(redrive.discard)


@app.command(LIST)
def list_(
    consumer: Annotated[
        str | None, typer.Argument(help="A consumer or a function; by default all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Dead letters to read from each queue.")] = 100,
    stage: Stage = "dev",
    as_json: Json = False,
) -> None:
    """List dead letters by owner and reason.

    Reading a dead letter hides it from others for a moment, and changes nothing else.

    Example: patchbay dead-letters --stage local
    """
    from concurrent.futures import ThreadPoolExecutor

    from patchbay.operations.dead_letters.browse import browse
    from patchbay.operations.dead_letters.dead_letter import grouped
    from patchbay.operations.dead_letters.selection import selected_queues

    clients = Environment()
    clients.client("logs")
    queues = [queue for queue in selected_queues(clients, stage, consumer) if queue.count]
    with ThreadPoolExecutor() as pool:
        seen = list(pool.map(lambda queue: browse(clients, queue, limit), queues))
    if as_json:
        data = [
            _as_json(queue, dead_letters) for queue, dead_letters in zip(queues, seen, strict=True)
        ]
        print(json.dumps(data, indent=2))
        return
    console = Console()
    if not queues:
        console.print(Text("There are no dead letters.", style="green"))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("owner", "messages", "reason", "last (UTC)", "example"):
        table.add_column(column, justify="right" if column == "messages" else "left")
    notes = []
    for queue, dead_letters in zip(queues, seen, strict=True):
        for group in grouped(dead_letters):
            table.add_row(*_row(queue, group.reason, group.dead_letters))
        if len(dead_letters) < queue.count:
            flight = f", {queue.in_flight:,} in flight" if queue.in_flight else ""
            notes.append(f"{queue.name}: {len(dead_letters):,} of {queue.count:,} seen{flight}.")
    console.print(table)
    for note in notes:
        console.print(Text(note, style="dim"))


@app.command()
def show(
    id: Annotated[
        str, typer.Argument(help="The beginning of the dead letter's id, or of its event's id.")
    ],
    consumer: Annotated[
        str | None, typer.Option(help="Search this consumer's dead letters only.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Dead letters to read from each queue.")] = 1000,
    stage: Stage = "dev",
    as_json: Json = False,
) -> None:
    """Show a dead letter: its event, its error, its attempts and its log lines.

    Example: patchbay dead-letters show DEAD_LETTER_ID --stage local
    """
    from patchbay.operations.dead_letters.dead_letter import as_json as for_machines
    from patchbay.operations.dead_letters.last_error import log_lines_of
    from patchbay.operations.dead_letters.selection import find

    clients = Environment()
    dead_letter = find(clients, stage, id, consumer, limit)
    log = log_lines_of(clients, dead_letter)
    if as_json:
        data = {**for_machines(dead_letter), "log": [_line_as_json(line) for line in log]}
        print(json.dumps(data, indent=2))
    else:
        Console().print(_in_full(dead_letter, log))


def _row(
    queue: "DeadLetterQueue", reason: str, dead_letters: "tuple[DeadLetter, ...]"
) -> tuple[Text, ...]:
    from patchbay.operations.dead_letters.dead_letter import WHERE

    where = WHERE[queue.kind]
    last = max(dead_letter.last or dead_letter.first for dead_letter in dead_letters)
    return (
        Text.assemble((queue.owner, "bold"), (f" {where}" if where else "", "dim")),
        Text(f"{len(dead_letters):,}"),
        Text(escape(reason, MAX_REASON), style="yellow"),
        Text(_time(last), style="dim"),
        Text(dead_letters[0].id[:SHORT_ID]),
    )


def _in_full(dead_letter: "DeadLetter", log: "list[Line]") -> Group:
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(dead_letter):
        facts.add_row(Text(name, style="dim"), Text(escape(value, MAX_FACT)))
    parts: list[Table | Text] = [facts]
    if dead_letter.traceback:
        parts += [Text(), Text(escape_lines(dead_letter.traceback.rstrip()), style="yellow")]
    if log:
        parts += [Text(), Text("The log lines about it:", style="dim")]
        parts += [_logged(line) for line in log]
    body = indented(dead_letter.body, MAX_BODY)
    shown = escape_lines(body, MAX_BODY)
    parts += [Text(), Text("The message:", style="dim"), Text(shown)]
    if len(body) > MAX_BODY:
        note = f"It has {len(dead_letter.body):,} characters: --json shows all."
        parts.append(Text(note, style="dim"))
    return Group(*parts)


def _facts(dead_letter: "DeadLetter") -> list[tuple[str, str]]:
    event = dead_letter.event
    facts: list[tuple[str, str | None]] = [
        ("dead letter", dead_letter.id),
        ("in", dead_letter.queue.name),
        ("owner", dead_letter.queue.owner),
        ("redrive target", str(dead_letter.queue.redrive_target)),
        ("event", f"{event.type or UNREADABLE}  {event.id or UNREADABLE}" if event else None),
        ("journey", event.journey if event else None),
        *((name, value) for name, value in (event.ids.items() if event else ())),
        ("reason", dead_letter.reason),
        (
            "attempts",
            str(dead_letter.attempts) if dead_letter.attempts is not None else "not known",
        ),
        ("first", f"{_time(dead_letter.first)} UTC"),
        ("last", f"{_time(dead_letter.last)} UTC" if dead_letter.last else "not known"),
    ]
    return [(name, value) for name, value in facts if value is not None]


def _logged(line: "Line") -> Text:
    message = " ".join(str(line[each]) for each in ("message", "reason") if line.get(each))
    attempt = f"attempt {line['attempt']}  " if "attempt" in line else ""
    level = str(line.get("level", ""))
    style = {"WARNING": "yellow", "ERROR": "red"}.get(level, "")
    moment = (line["at"].strftime("%d %b %H:%M:%S.%f")[:-3], "dim")
    return Text.assemble(moment, "  ", (escape(f"{attempt}{message}", 500), style))


def _as_json(queue: "DeadLetterQueue", dead_letters: "list[DeadLetter]") -> dict[str, Any]:
    from patchbay.operations.dead_letters.dead_letter import grouped

    return {
        "queue": queue.name,
        "kind": queue.kind,
        "owner": queue.owner,
        "redrive_target": str(queue.redrive_target),
        "count": queue.count,
        "in_flight": queue.in_flight,
        "looked_at": len(dead_letters),
        "reasons": [
            {
                "reason": group.reason,
                "count": len(group.dead_letters),
                "dead_letters": [
                    {"id": each.id, "event_id": each.event.id if each.event else None}
                    for each in group.dead_letters
                ],
            }
            for group in grouped(dead_letters)
        ],
    }


def _line_as_json(line: "Line") -> dict[str, Any]:
    return {**line, "at": line["at"].isoformat()}


def _time(moment: datetime) -> str:
    return moment.strftime("%d %b %H:%M:%S")
