"""`patchbay synth`, `diff`, `deploy` and `destroy`: the CDK CLI for a stage of the project."""

from typing import Annotated

import typer

Stage = Annotated[str, typer.Option(help="The deployment; each name is a separate one.")]


def synth(stage: Stage = "dev") -> None:
    """Write the templates of a stage to cdk.out.

    Example: patchbay synth --stage dev
    """
    from patchbay.deploy import account

    account.synth(stage)


def diff(stage: Stage = "dev") -> None:
    """Compare the templates of a stage with what is deployed.

    Example: patchbay diff --stage alice
    """
    from patchbay.deploy import account

    account.diff(stage)


def deploy(stage: Stage = "dev") -> None:
    """Deploy a stage to the account that the credentials belong to.

    A stage can have its account and region in pyproject.toml: then the credentials of another
    account are refused.

    Example: patchbay deploy --stage pr-17
    """
    from patchbay.deploy import account

    account.deploy(stage)


def destroy(
    stage: Stage = "dev",
    yes_destroy: Annotated[
        str | None,
        typer.Option(metavar="STAGE", help="For scripts: the name of the stage again."),
    ] = None,
) -> None:
    """Delete a stage from the account. A stage of kind prod asks for its name first.

    Example: patchbay destroy --stage pr-17
    """
    from patchbay.deploy import account

    account.destroy(stage, confirmed_as=yes_destroy)
