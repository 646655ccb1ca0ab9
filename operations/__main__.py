"""Operate a deployment, on AWS or on the local cloud: whichever the environment names.

python -m operations journey ORDER_ID
python -m operations replay --from 2026-01-31T09:00 --to 2026-01-31T10:00 --to-consumer payments
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_args

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from operations.clients import Environment, OperationFailed
from stacks.naming import StageName

INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an expected failure is a line on stderr, and never a traceback."""
    options = _parse(arguments)
    try:
        return journey(options) if options.command == "journey" else replay(options)
    except OperationFailed as failure:
        print(failure, file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS could not be asked: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted. What was started on AWS goes on.", file=sys.stderr)
        return INTERRUPTED
    return 1


def journey(options: argparse.Namespace) -> int:
    """Draw an order's journey."""
    from operations import journey as journeys

    steps = journeys.journey(Environment(), options.stage, options.order)
    if options.json:
        print(json.dumps(journeys.as_json(steps), indent=2))
    else:
        Console().print(journeys.drawn(steps, options.order))
    return 0


def replay(options: argparse.Namespace) -> int:
    """Play a part of the archive again; 1 where it did not come to its end."""
    from operations import replay as replays

    console = Console(stderr=True)
    with console.status("starting the replay") as status:
        done = replays.replay(
            Environment(),
            options.stage,
            since=options.since,
            until=options.until,
            to=options.to_consumer,
            again=options.again,
            tell=lambda how: status.update(f"the replay is {how}"),
        )
    whom = options.to_consumer or "everyone"
    print(f"Replay {done.name} to {whom}: {done.state.lower()}. {done.reason or ''}".rstrip())
    if done.state == "COMPLETED":
        print("What was handled before is skipped; the rest is on its way through the queue.")
    return 0 if done.state == "COMPLETED" else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m operations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("journey", help="draw what became of an order")
    drawing.add_argument("order", metavar="ORDER_ID", help="or an event's correlation_id")
    drawing.add_argument("--json", action="store_true", help="for machines")
    replaying = commands.add_parser("replay", help="play a part of the archive again")
    replaying.add_argument("--from", dest="since", type=_moment, required=True, metavar="TIME")
    replaying.add_argument("--to", dest="until", type=_moment, required=True, metavar="TIME")
    replaying.add_argument("--to-consumer", metavar="NAME", help="it alone; without, everyone")
    replaying.add_argument("--again", action="store_true", help="even what is past remembering")
    for command in (drawing, replaying):
        command.add_argument("--stage", choices=get_args(StageName), default="dev")
    return parser.parse_args(arguments)


def _moment(text: str) -> datetime:
    """A time; one that names no zone is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write it as 2026-01-31T09:00, or 2026-01-31T09:00:00+01:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
