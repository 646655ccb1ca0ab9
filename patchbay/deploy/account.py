"""The CDK CLI against the AWS account that the environment names."""

import os
from typing import NoReturn

import boto3
from botocore.exceptions import BotoCoreError

from patchbay.deploy import cdk
from patchbay.errors import UserError

NO_CREDENTIALS = (
    "No AWS credentials: sign in with `aws sso login`, or set AWS_PROFILE, or "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)


def synth(stage: str) -> NoReturn:
    """Write the stage's templates to cdk.out; needs no account."""
    _become_cdk(stage, "synth", "--quiet")


def diff(stage: str) -> NoReturn:
    """Show what deploying would change; raises UserError."""
    _check_credentials()
    _become_cdk(stage, "diff")


def deploy(stage: str) -> NoReturn:
    """Deploy every stack of the stage; raises UserError."""
    _check_credentials()
    _become_cdk(stage, "deploy", "--all")


def destroy(stage: str, *, confirmed_as: str | None = None) -> NoReturn:
    """Delete every stack of the stage; raises UserError."""
    _check_credentials()
    _become_cdk(stage, "destroy", "--all")


def _become_cdk(stage: str, *arguments: str) -> NoReturn:
    command = [*cdk.command(*arguments), "--no-notices", "-c", f"stage={stage}"]
    os.execve(command[0], command, cdk.environ(os.environ))  # noqa: S606


def _check_credentials() -> None:
    """Raises UserError where there are none."""
    try:
        found = boto3.Session().get_credentials()
    except BotoCoreError as error:
        raise UserError(f"The AWS credentials can't be read: {error}.") from error
    if found is None:
        raise UserError(NO_CREDENTIALS)
