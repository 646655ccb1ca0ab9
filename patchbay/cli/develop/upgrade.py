"""`patchbay upgrade`."""

from typing import Annotated

import typer


def upgrade(
    to: Annotated[
        str,
        typer.Option(metavar="SOURCE", help="A wheel, a version in an index, or a git address."),
    ],
) -> None:
    """Raise the version of Patchbay that this project uses, and lock it.

    Only the pin, the wheel in vendor/ and the lock files change.

    Example: patchbay upgrade --to dist/patchbay_aws-1.1.0-py3-none-any.whl
    """
    from patchbay.errors import UserError
    from patchbay.project.root import ROOT
    from patchbay.templates.upgrade import upgrade as raise_version

    if not to.strip():
        raise UserError("usage: make upgrade TO=dist/patchbay_aws-1.1.0-py3-none-any.whl")
    before, after = raise_version(ROOT, to)
    typer.echo(
        f"Patchbay {before} → {after}. If your project must change, its CHANGELOG says how. Then:\n"
        "  make test    checks all of it\n"
        "  make diff    shows what changes in the templates [STAGE=dev]"
    )
