"""Processes that redrive dead letters, each of which is killed after some time.

    python -m tests.operations.killed  <the queue, as JSON>

For each line on standard input, a number of seconds, it forks a process that redrives the queue,
kills it after that time, and writes "killed" or "ended". It forks because starting Python and boto3
takes far longer than the redrive.
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
    """The client of SQS, without an open connection when the process is forked."""

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
    read_end, write_end = os.pipe()

    def begin(*arguments: object) -> list[DeadLetterQueue]:
        now = recounted(clients, queue)  # the first request takes longer than the later ones
        os.write(write_end, b".")
        return [now]

    for line in sys.stdin:
        child = os.fork()
        if not child:
            with patch.object(drain, "selected_queues", begin):
                redrive(clients, "local", Selection(), visibility_timeout=VISIBILITY_TIMEOUT)
            os._exit(0)
        os.read(read_end, 1)
        time.sleep(float(line))
        os.kill(child, signal.SIGKILL)  # before waitpid, no other process can have its id
        _, status = os.waitpid(child, 0)
        sys.stdout.write("killed\n" if os.WIFSIGNALED(status) else "ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
