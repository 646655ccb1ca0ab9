"""`patchbay publish`."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from patchbay.cli.options import DryRun, Json, Stage, Yes
from patchbay.errors import UserError
from patchbay.operations.clients import Environment
from patchbay.operations.escape import escape
from patchbay.project.naming import bus_name

if TYPE_CHECKING:
    from patchbay.operations.catalogue.event_file import PreparedEvent

STDIN = "-"
SHOWN = 20  # events; --json has them all


def publish(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON; - is standard input.")],
    correlation_id: Annotated[
        str | None, typer.Option(metavar="ID", help="For the events that have none.")
    ] = None,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Publish events on the bus: all of them if every one matches its contract, or else none.

    An event is {"type": …, "data": {…}}, or an entry of PutEvents, which keeps its id. A file holds
    one event, a list of events, or one event a line.

    Example: patchbay publish docs/event.json --stage local --dry-run
    """
    from patchbay.operations.catalogue import event_file
    from patchbay.operations.catalogue.publish import publish as put

    events = event_file.read_events(_text(file), stage, correlation_id)
    what = f"{_counted(events)} on the bus {bus_name(stage)}"
    if stage == "prod" and not (yes or dry_run):
        raise UserError(f"That would put {what}, where consumers handle it. To do it, add --yes.")
    if not dry_run:
        put(Environment(), stage, events)
    if as_json:
        print(json.dumps([_as_json(each, published=not dry_run) for each in events], indent=2))
        return
    print(f"{'Would put' if dry_run else 'Put'} {what}:")
    for each in events[:SHOWN]:
        note = "  (with its own id: consumers that handled it skip it)" if each.has_own_id else ""
        print(f"  {each.event.detail_type}  journey {escape(each.correlation_id)}{note}")
    if len(events) > SHOWN:
        print(f"  … and {len(events) - SHOWN} more")


def _text(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"line {line}: this is not UTF-8.") from error


def _counted(events: "Sequence[PreparedEvent]") -> str:
    counts = Counter(each.event.detail_type for each in events)
    return " and ".join(f"{count} {name}" for name, count in counts.items())


def _as_json(event: "PreparedEvent", *, published: bool) -> dict[str, Any]:
    return {
        "line": event.line,
        "type": event.event.detail_type,
        "id": event.event.event_id,
        "correlation_id": event.correlation_id,
        "published": published,
    }
