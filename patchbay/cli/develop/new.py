"""`patchbay new`."""

from pathlib import Path
from typing import Annotated

import typer

BAD_USAGE = 2  # the exit code


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="It begins the name of every resource.")
    ],
    directory: Annotated[
        Path | None, typer.Option(help="Where; a folder of that name, if it is not given.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="The Patchbay that it uses: a wheel, a version of an index, or a git address; "
            "this one, if it is not given.",
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
