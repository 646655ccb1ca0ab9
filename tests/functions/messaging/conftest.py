"""What the tests of messaging share."""

import random

import pytest

from tests.functions.messaging.recorder import Recorder
from tests.functions.queues import ConsumerQueue


@pytest.fixture
def recorder() -> Recorder:
    """A consumer that records what it handles, and fails when it is told to."""
    return Recorder()


@pytest.fixture
def fifo_queue(aws: None) -> ConsumerQueue:
    """A FIFO queue, as a consumer that needs order would have."""
    return ConsumerQueue("in-order", fifo=True)


@pytest.fixture
def longest_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is as long as its window."""
    monkeypatch.setattr(random, "uniform", lambda _, window: window)
