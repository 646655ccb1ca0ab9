"""Puts dead letters back in one process after another, and kills each of them at its moment.

    python -m tests.operations.killed  <the queue, as JSON>

For each line that it reads, it starts a process that puts back what it can, kills it as many
seconds after its beginning as the line says, and writes how that process ended. A process is a copy
of this one: to start Python and boto3 anew would take far longer than what is to be interrupted.
"""

import json
import os
import signal
import sys
import time
from unittest.mock import patch

import boto3

from patchbay.operations.dead_letters import drain as drain
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue, ToQueue
from patchbay.operations.dead_letters.queues import recounted
from patchbay.operations.dead_letters.redrive import redrive
from patchbay.operations.dead_letters.selection import Selection

VISIBILITY_TIMEOUT = 1  # seconds after which the messages of a killed process are visible again


class Clients:
    """One client, that has asked nobody anything before the process is copied."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs")

    def client(self, service: str, /) -> object:
        assert service == "sqs", service
        return self._sqs


def main() -> None:
    described = json.loads(sys.argv[1])
    queue = DeadLetterQueue(
        **{**described, "redrive_target": ToQueue(**described["redrive_target"])}
    )
    clients = Clients()
    heard, told = os.pipe()

    def begin(*asked: object) -> list[DeadLetterQueue]:
        now = recounted(
            clients, queue
        )  # which takes longer than what follows: it is the first call
        os.write(told, b".")
        return [now]

    for line in sys.stdin:
        child = os.fork()
        if not child:
            with patch.object(drain, "selected_queues", begin):
                redrive(clients, "local", Selection(), visibility_timeout=VISIBILITY_TIMEOUT)
            os._exit(0)
        os.read(heard, 1)
        time.sleep(float(line))
        os.kill(child, signal.SIGKILL)  # it is not waited for yet: no other has its number
        _, status = os.waitpid(child, 0)
        sys.stdout.write("killed\n" if os.WIFSIGNALED(status) else "ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
