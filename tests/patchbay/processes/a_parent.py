"""A process that has a local cloud, one of whose functions is stuck for good; then it waits.

It says where the cloud is, on standard output, once the function is stuck.
"""

import io
import json
import signal
import sys
import threading
import zipfile
from pathlib import Path

from patchbay.local.cloud import LocalCloud
from patchbay.processes.waiting import wait_until

STUCK = """
import signal, time
from pathlib import Path

def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(event["stuck"]).touch()
    time.sleep(3600)
"""
PORT = 4900  # far from what other clouds take, so that nobody follows on it at once
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def get_stuck(cloud: LocalCloud, sign: Path) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("stuck.py", STUCK)
    role = cloud.client("iam").create_role(
        RoleName="stuck", AssumeRolePolicyDocument=json.dumps(TRUST)
    )["Role"]["Arn"]
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="stuck",
        Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
        Handler="stuck.handler",
        Role=role,
        Timeout=900,
        Code={"ZipFile": code.getvalue()},
    )
    event = json.dumps({"stuck": str(sign)})
    functions.invoke(FunctionName="stuck", InvocationType="Event", Payload=event)
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
