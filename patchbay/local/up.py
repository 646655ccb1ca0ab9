"""`patchbay local`: runs the app on a local cloud, with its console and its log."""

import shlex
import sys
import time
from pathlib import Path

from patchbay.console.additions import Additions
from patchbay.console.deployment import Deployment
from patchbay.console.serve import may_open_a_browser, serving
from patchbay.errors import UserError
from patchbay.local.access import STAGE
from patchbay.local.cloud import LocalCloud
from patchbay.local.deployment import LocalDeployment, deploy_locally
from patchbay.local.schedules import example_command
from patchbay.local.surroundings import Surroundings, of_project
from patchbay.operations.clients import CachedClients
from patchbay.processes.signals import stop_on_signals
from patchbay.processes.waiting import INTERVAL

NOTHING_LEFT = "Nothing is left running."
INTERRUPTED = 130  # a shell's exit code for a command that Ctrl-C ended


def run() -> None:
    """Deploy the project's app locally and serve its console until Ctrl-C; raises UserError."""
    stop_on_signals()
    try:
        with (
            deploy_locally(of_project()) as running,
            serving(_deployment(running)) as console,
        ):
            print(_instructions(running.cloud), flush=True)
            print(f"The console is at {console.address}\n", flush=True)
            if may_open_a_browser():
                console.open()
            try:
                _follow(running.cloud)
            except KeyboardInterrupt:
                print("\nStopping …", flush=True)
    except KeyboardInterrupt:
        print(f"\n{NOTHING_LEFT}", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    print(f"Stopped. {NOTHING_LEFT}")


def _deployment(running: LocalDeployment[Surroundings]) -> Deployment:
    own = running.surroundings
    additions = Additions(troubles=own.troubles(), actions=own.actions(), pages=own.pages())
    return Deployment(CachedClients(running.cloud), STAGE, additions)


def _instructions(cloud: LocalCloud) -> str:
    exports = "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in cloud.access.exports.items()
    )
    command = example_command(cloud)
    schedules = (
        f"Schedules do not run by themselves here. To run one by hand:\n\n{command}\n\n"
        if command
        else ""
    )
    return (
        f"\nThe local cloud is at {cloud.endpoint}. In another shell, boto3 and the AWS CLI reach "
        f"it with\n\nunset AWS_PROFILE AWS_SESSION_TOKEN\n{exports}\n\n{schedules}"
        f"Its log is {cloud.log_path}. Ctrl-C stops it.\n"
    )


def _follow(cloud: LocalCloud) -> None:
    with Path(cloud.log_path).open(errors="replace") as log:
        while not cloud.has_ended():
            sys.stdout.write(log.read())
            sys.stdout.flush()
            time.sleep(INTERVAL)
    raise UserError(f"The local cloud ended by itself; its log is {cloud.log_path}.")
