"""`patchbay schemas` and `patchbay asyncapi`."""

from typing import Annotated

import typer


def schemas(
    write: Annotated[bool, typer.Option("--write", help="Record what breaks nobody.")] = False,
) -> None:
    """Compare the events with their JSON Schemas, and name what would break a consumer.

    Ends with 1 where something would, or where a schema is not up to date.

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

    made = text(document(read(synthesize(STAGE, {}))))
    if write:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(made)
        print(f"wrote {FILE}")
    else:
        print(made, end="")
