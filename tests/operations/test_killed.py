"""A process that redrives dead letters is killed again and again, and no dead letter is lost.

The dead letters are in the embedded cloud, which goes on running, like AWS.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pytest

from demo.surroundings import LocalShop
from patchbay.cli.__main__ import main
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue
from patchbay.operations.dead_letters.queues import queues
from patchbay.project.naming import named
from patchbay.project.root import ROOT

pytestmark = pytest.mark.embedded

MOST_DEAD_LETTERS = 1000
KILLS = 200
MAX_LIFE = 0.05  # seconds: enough for a part of the dead letters only
SEED = 20260131
STAGE, OWNER = "local", "killed"


@pytest.fixture
def dead(running: LocalShop) -> Iterator[DeadLetterQueue]:
    """A dead-letter queue whose redrive target is a queue that no function reads."""
    sqs = running.cloud.client("sqs")
    name = named(STAGE, OWNER)
    dead_url = sqs.create_queue(QueueName=f"{name}-dead-letters")["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": 12}
    url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})[
        "QueueUrl"
    ]
    try:
        found = queues(running.cloud, STAGE)
        yield next(each for each in found if each.url == dead_url)
    finally:
        for each in (url, dead_url):
            sqs.delete_queue(QueueUrl=each)


def filled(sqs: Any, url: str) -> set[str]:
    bodies = [f"dead letter {number}" for number in range(MOST_DEAD_LETTERS)]
    for start in range(0, MOST_DEAD_LETTERS, 10):
        some = bodies[start : start + 10]
        entries = [{"Id": str(each), "MessageBody": body} for each, body in enumerate(some)]
        assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
    return set(bodies)


def emptied(sqs: Any, url: str) -> list[str]:
    """Receive and delete all messages of a queue, and return their bodies."""
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
        handles = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        sqs.delete_message_batch(QueueUrl=url, Entries=handles)
    return found


def count(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


@contextmanager
def killer(running: LocalShop, queue: DeadLetterQueue) -> Iterator["subprocess.Popen[str]"]:
    """Run `tests.operations.killed`, which forks processes and kills them."""
    described = json.dumps(asdict(queue))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.operations.killed", described],
        cwd=ROOT,
        env=running.cloud.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate()


def test_killed_200_times_while_it_redrives_1000_dead_letters_it_loses_none(
    running: LocalShop, dead: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = running.cloud.client("sqs")
    target: Any = dead.redrive_target
    dead_letters = filled(sqs, dead.url)
    arrived: Counter[str] = Counter()
    lives = random.Random(SEED)
    ends: Counter[str] = Counter()
    twice = 0
    with killer(running, dead) as process:
        assert process.stdin
        assert process.stdout
        while ends["killed"] < KILLS:
            print(lives.uniform(0, MAX_LIFE), file=process.stdin, flush=True)
            ends[process.stdout.readline().strip()] += 1
            arrived.update(emptied(sqs, target.url))
            left = count(sqs, dead.url)
            assert len(arrived) + left >= MOST_DEAD_LETTERS, "A dead letter is in neither queue."
            if not left:
                twice += arrived.total() - MOST_DEAD_LETTERS
                assert arrived.keys() == dead_letters
                filled(sqs, dead.url)  # a new round, for the processes that are still to come
                arrived.clear()
            assert ends.keys() <= {"killed", "ended"}
    assert ends["killed"] == KILLS

    for name, value in running.cloud.environ.items():
        monkeypatch.setenv(name, value)
    assert main(["dead-letters", "redrive", dead.name, "--stage", STAGE]) == 0
    arrived.update(emptied(sqs, target.url))
    arrived.update(emptied(sqs, dead.url))
    assert arrived.keys() == dead_letters
    twice += arrived.total() - MOST_DEAD_LETTERS
    # Some processes were killed between sending and deleting: without them, this proves little.
    assert twice > 0
