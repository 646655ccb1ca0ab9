"""`patchbay schemas` and `patchbay asyncapi`."""

from typing import Annotated

import typer


def schemas(
    write: Annotated[
        bool, typer.Option("--write", help="Record the changes that break no consumer.")
    ] = False,
) -> None:
    """Compare the events with their JSON Schemas, and name each change that breaks a consumer.

    The exit code is 1 if there is one, or if a schema is not up to date.

    Example: patchbay schemas --write
    """
    from patchbay.events.compatibility import main

    raise typer.Exit(main(record=write))


def asyncapi(
    write: Annotated[
        bool, typer.Option("--write", help="Write it to docs/asyncapi.json instead.")
    ] = False,
) -> None:
    """Print the catalogue of events as an AsyncAPI document.

    Example: patchbay asyncapi --write
    """
    from patchbay.deploy.synthesis import synthesize
    from patchbay.operations.catalogue.asyncapi import FILE, STAGE, document, text
    from patchbay.topology.template import read

    formatted = text(document(read(synthesize(STAGE, {}))))
    if write:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(formatted)
        print(f"wrote {FILE}")
    else:
        print(formatted, end="")
