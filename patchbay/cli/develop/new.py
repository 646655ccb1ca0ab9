"""`patchbay new`."""

from pathlib import Path
from typing import Annotated

import typer

BAD_USAGE = 2  # the exit code


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The prefix of every resource's name.")
    ],
    directory: Annotated[
        Path | None, typer.Option(help="The new folder; by default NAME in this one.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="The Patchbay that it uses: a wheel, a version in an index, or a git address; "
            "by default this one.",
        ),
    ] = None,
) -> None:
    """Write a new project: a service with an HTTP API, an event, a consumer, and their tests.

    Example: patchbay new clinic --directory ../clinic
    """
    import tempfile

    from patchbay.errors import UserError
    from patchbay.templates import project, wheel
    from patchbay.templates.writing import write

    folder = directory or Path(name or ".")
    try:
        namespace = project.check(name)
        project.check_folder(folder)
        with tempfile.TemporaryDirectory() as temporary:
            pinned = wheel.get(source, Path(temporary))
            write(project.files(name, namespace, pinned), folder.resolve())
    except UserError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_USAGE) from None
    except OSError as error:
        typer.echo(f"The new project can't be written: {error}.", err=True)
        raise typer.Exit(BAD_USAGE) from None
    typer.echo(
        f"The project {name} is in {folder}. Then:\n"
        f"  cd {folder}\n"
        "  git init && git add --all && git commit --message 'Begin'\n"
        "  make test     checks all of it\n"
        "  make local    runs it on this machine"
    )
