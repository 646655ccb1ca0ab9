"""The CDK CLI against the AWS account that the environment names.

python -m patchbay.deploy.account synth|diff|deploy|destroy [--stage dev]
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import boto3
from botocore.exceptions import BotoCoreError

from patchbay.deploy import cdk
from patchbay.errors import UserError

OPTIONS = {
    "synth": ["--quiet"],
    "diff": [],
    "deploy": ["--all"],
    "destroy": ["--all"],
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Check what the CLI will need, and become the CLI."""
    parser = argparse.ArgumentParser(prog="python -m patchbay.deploy.account", description=__doc__)
    parser.add_argument("command", choices=OPTIONS)
    parser.add_argument("--stage", default="dev")
    options = parser.parse_args(arguments)
    try:
        if options.command != "synth":
            _check_credentials()
        command = cdk.command(options.command, *OPTIONS[options.command])
    except UserError as failure:
        sys.exit(str(failure))
    command += ["--no-notices", "-c", f"stage={options.stage}"]
    os.execve(command[0], command, cdk.environ(os.environ))  # noqa: S606


def _check_credentials() -> None:
    """Raises UserError where there are none."""
    try:
        found = boto3.Session().get_credentials()
    except BotoCoreError as error:
        raise UserError(f"The AWS credentials can't be read: {error}.") from error
    if found is None:
        raise UserError(
            "No AWS credentials: sign in with `aws sso login`, or set AWS_PROFILE, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )


if __name__ == "__main__":
    main()
