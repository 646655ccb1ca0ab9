"""The options that several commands share."""

from datetime import UTC, datetime
from typing import Annotated

import typer


def stage_name(text: str) -> str:
    """Return the name of a stage; raises BadParameter if it is not valid."""
    from patchbay.errors import UserError
    from patchbay.project.project import project

    try:
        return project().stage(text).name
    except UserError as error:
        raise typer.BadParameter(str(error)) from error


Stage = Annotated[str, typer.Option(metavar="STAGE", callback=stage_name, help="The deployment.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and stop.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it on prod too, without confirmation.")]


def moment(text: str) -> datetime:
    """Parse a time, in UTC if it names no zone; raises BadParameter."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is not a time: write it as 2026-01-31T09:00, or 2026-01-31T09:00:00+01:00"
        ) from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def consumer_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the consumers that complete a name in the shell; none if AWS does not answer."""
    from patchbay.operations.clients import Environment
    from patchbay.operations.failures import EXPECTED
    from patchbay.operations.pause import polled_consumers

    try:
        found = polled_consumers(Environment(), ctx.params.get("stage", "dev"))
    except EXPECTED:
        return []
    return [name for name in found if name.startswith(incomplete)]


ConsumerName = Annotated[
    str, typer.Argument(metavar="CONSUMER", autocompletion=consumer_names, help="Its name.")
]
