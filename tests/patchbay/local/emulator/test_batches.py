from typing import Any

import pytest

from patchbay.local.emulator.batches import at_once


def limit(mapping: Any, function: Any, config: Any, queue: Any = None) -> int:
    """Return the limit as MiniStack does."""
    return 1 if queue else 3


@pytest.mark.parametrize(("batch_size", "batches"), [(1, 3), (10, 1)])
def test_only_fifo_batches_of_one_message_run_concurrently(batch_size: int, batches: int) -> None:
    queue = {"is_fifo": True}
    assert at_once(limit, 5)({"BatchSize": batch_size}, {}, {}, queue) == batches


def test_no_more_batches_run_concurrently_than_there_are_cores() -> None:
    assert at_once(limit, 2)({"BatchSize": 10}, {}, {}) == 2
