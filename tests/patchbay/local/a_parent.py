"""A process that has a local cloud, one of whose functions never returns; then it waits.

It says where the cloud is, on standard output, once the function is stuck.
"""

import json
import signal
import sys
import threading
from pathlib import Path

from patchbay.local.cloud import LocalCloud
from patchbay.processes.waiting import wait_until
from tests.patchbay.local.functions import create_function

STUCK = """
import signal, time
from pathlib import Path

def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(event["stuck"]).touch()
    time.sleep(3600)
"""
PORT = 4900  # far from what other clouds take, so that nobody follows on it at once


def get_stuck(cloud: LocalCloud, sign: Path) -> None:
    create_function(cloud, "stuck", {"handler.py": STUCK}, timeout=900)
    event = json.dumps({"stuck": str(sign)})
    cloud.client("lambda").invoke(FunctionName="stuck", InvocationType="Event", Payload=event)
    wait_until(sign.exists, "the function to be stuck", 30)


def main(sign: Path) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with LocalCloud(PORT) as cloud:
        get_stuck(cloud, sign)
        sys.stdout.write(json.dumps({"port": cloud.access.port, "group": cloud.pid}) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
