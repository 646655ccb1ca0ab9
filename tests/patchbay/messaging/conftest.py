"""What the tests of messaging share."""

import random

import pytest

from tests.functions.conftest import (
    aws as aws,
)
from tests.functions.conftest import (
    clock as clock,
)
from tests.functions.conftest import (
    dead_letters as dead_letters,
)
from tests.functions.conftest import (
    deliver as deliver,
)
from tests.functions.conftest import (
    lines as lines,
)
from tests.functions.conftest import (
    metric as metric,
)
from tests.functions.conftest import (
    printed as printed,
)
from tests.functions.conftest import (
    published as published,
)
from tests.functions.conftest import (
    queue as queue,
)
from tests.functions.conftest import (
    queues as queues,
)
from tests.patchbay.messaging.recorder import Recorder
from tests.queues import ConsumerQueue


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
