"""`make local`: the system left running, with its console, and for boto3 in another shell."""

import shlex
import sys
import time
from pathlib import Path

from demo.playground import ShopsPlayground
from demo.purchases import first_purchases
from demo.settings import STAGE
from demo.shop import Shop
from patchbay.console.deployment import Deployment
from patchbay.console.serve import may_open_a_browser, serving
from patchbay.errors import UserError
from patchbay.local.cloud import LocalCloud
from patchbay.local.system import System, system
from patchbay.operations.clients import Kept
from patchbay.processes.waiting import INTERVAL
from patchbay.project.naming import named

PURCHASES = 10_000  # that can be made in the console
RUN = '{"schedule": "by hand", "at": "2026-01-31T03:00:00Z"}'


def run() -> None:
    """Run the system and its console, with its log in the foreground, until Ctrl-C."""
    with system() as running, serving(_deployment(running)) as console:
        print(_how_to_reach(running.cloud), flush=True)
        print(f"The console is at {console.address}\n", flush=True)
        if may_open_a_browser():
            console.open()
        try:
            _follow(running.cloud)
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
    print("Stopped. Nothing is left running.")


def _deployment(running: System) -> Deployment:
    """The system with all that is around it, and that works."""
    shop = Shop(running.cloud, running.provider_url)
    shop.let_mails_out()
    return Deployment(Kept(running.cloud), STAGE, ShopsPlayground(shop, first_purchases(PURCHASES)))


def _how_to_reach(cloud: LocalCloud) -> str:
    exports = "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in cloud.access.exports.items()
    )
    return (
        f"\nThe local cloud is at {cloud.endpoint}. In another shell, boto3 and the AWS CLI reach "
        f"it with\n\nunset AWS_PROFILE AWS_SESSION_TOKEN\n{exports}\n\n"
        "Schedules do not run here as they should; to run one by hand:\n\n"
        f"aws lambda invoke --function-name {named(STAGE, 'accounts-close')} --payload "
        f"'{RUN}' --cli-binary-format raw-in-base64-out /dev/stdout\n\n"
        f"Its log is {cloud.log_path}. Ctrl-C stops it.\n"
    )


def _follow(cloud: LocalCloud) -> None:
    with Path(cloud.log_path).open(errors="replace") as log:
        while not cloud.has_ended():
            sys.stdout.write(log.read())
            sys.stdout.flush()
            time.sleep(INTERVAL)
    raise UserError(f"The local cloud ended by itself; its log is {cloud.log_path}.")
