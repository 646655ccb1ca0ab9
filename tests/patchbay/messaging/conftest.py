"""Fixtures of the tests of messaging."""

import random

import pytest

from patchbay.events.event import NAMESPACE_VARIABLE
from tests.patchbay.messaging.fixtures import aws as aws
from tests.patchbay.messaging.fixtures import clock as clock
from tests.patchbay.messaging.fixtures import dead_letters as dead_letters
from tests.patchbay.messaging.fixtures import deliver as deliver
from tests.patchbay.messaging.fixtures import lines as lines
from tests.patchbay.messaging.fixtures import metric as metric
from tests.patchbay.messaging.fixtures import printed as printed
from tests.patchbay.messaging.fixtures import published as published
from tests.patchbay.messaging.fixtures import queue as queue
from tests.patchbay.messaging.fixtures import queues as queues
from tests.patchbay.messaging.queues import ConsumerQueue
from tests.patchbay.messaging.recorder import Recorder


@pytest.fixture(autouse=True)
def greenhouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the events of these tests be a greenhouse's, as in its functions' environment."""
    monkeypatch.setenv(NAMESPACE_VARIABLE, "greenhouse")


@pytest.fixture
def recorder() -> Recorder:
    """Return a consumer that records the events that it handles, and can be made to fail."""
    return Recorder()


@pytest.fixture
def fifo_queue(aws: None) -> ConsumerQueue:
    """A FIFO queue, as a consumer that needs order would have."""
    return ConsumerQueue("in-order", fifo=True)


@pytest.fixture
def longest_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is as long as its window."""
    monkeypatch.setattr(random, "uniform", lambda _, window: window)
