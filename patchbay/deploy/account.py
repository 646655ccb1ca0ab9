"""The CDK CLI with the AWS account of the environment, which must be the stage's."""

import os
import sys
from typing import NoReturn

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from patchbay.deploy import cdk
from patchbay.errors import UserError
from patchbay.project.project import Stage, project

NO_CREDENTIALS = (
    "No AWS credentials: sign in with `aws sso login`, or set AWS_PROFILE, or "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)


def synth(stage: str) -> NoReturn:
    """Write the stage's templates to cdk.out; needs no account."""
    _exec_cdk(project().stage(stage), "synth", "--quiet")


def diff(stage: str) -> NoReturn:
    """Show what deploying would change; raises UserError."""
    _exec_cdk(_checked(stage), "diff")


def deploy(stage: str) -> NoReturn:
    """Deploy every stack of the stage; raises UserError."""
    _exec_cdk(_checked(stage), "deploy", "--all")


def destroy(stage: str, *, confirmed_as: str | None = None) -> NoReturn:
    """Delete every stack of the stage; raises UserError.

    A stage of kind prod is only destroyed if its name is given once more.
    """
    checked = _checked(stage)
    if checked.kind == "prod":
        _confirm(checked.name, confirmed_as)
        # The CDK CLI would ask again, and needs a terminal for it.
        _exec_cdk(checked, "destroy", "--all", "--force")
    _exec_cdk(checked, "destroy", "--all", *(["--force"] if confirmed_as == stage else []))


def _exec_cdk(stage: Stage, *arguments: str) -> NoReturn:
    command = [*cdk.command(*arguments), "--no-notices", "-c", f"stage={stage.name}"]
    region = {"AWS_REGION": stage.region, "AWS_DEFAULT_REGION": stage.region}
    environ = cdk.environ(os.environ) | {k: v for k, v in region.items() if v}
    os.execve(command[0], command, environ)  # noqa: S606


def _checked(name: str) -> Stage:
    """Return the stage; raises UserError if the credentials are not for its account."""
    stage = project().stage(name)
    try:
        session = boto3.Session()
        if session.get_credentials() is None:
            raise UserError(NO_CREDENTIALS)
        if stage.account:
            _check_account(stage, session)
    except BotoCoreError as error:
        raise UserError(f"The AWS credentials can't be read: {error}.") from error
    return stage


def _check_account(stage: Stage, session: boto3.Session) -> None:
    # Any region will do for STS, but it needs one.
    client = session.client("sts", region_name=stage.region or session.region_name or "us-east-1")
    try:
        account = client.get_caller_identity()["Account"]
    except ClientError as error:
        raise UserError(f"AWS refused your credentials: {error}.") from error
    if account != stage.account:
        raise UserError(
            f"The stage {stage.name} belongs to account {stage.account}, your credentials to "
            f"{account}. Nothing was changed. Sign in to {stage.account} (`aws sso login`, "
            f"AWS_PROFILE), or change [tool.patchbay.stages.{stage.name}] in pyproject.toml."
        )


def _confirm(name: str, confirmed_as: str | None) -> None:
    """Raise UserError unless the name of the stage is given once more."""
    if confirmed_as is None:
        if not sys.stdin.isatty():
            raise UserError(
                f"The stage {name} is of kind prod: destroying it needs a confirmation, and there "
                f"is no terminal to ask in. Nothing was destroyed. Pass `--yes-destroy {name}`."
            )
        print(f"The stage {name} is of kind prod. Its stacks will be deleted; its data is kept.")
        confirmed_as = input("Type its name to destroy it: ").strip()
    if confirmed_as != name:
        raise UserError(f"{confirmed_as!r} is not {name!r}: nothing was destroyed.")
