from typing import Any

import pytest

from local.message_groups import side_by_side


def limit(mapping: Any, function: Any, config: Any, queue: Any = None) -> int:
    """What MiniStack does, in short."""
    return 1 if queue else 3


@pytest.mark.parametrize(("batch_size", "at_once"), [(1, 3), (10, 1)])
def test_only_batches_of_one_message_run_side_by_side(batch_size: int, at_once: int) -> None:
    queue = {"is_fifo": True}
    assert side_by_side(limit)({"BatchSize": batch_size}, {}, {}, queue) == at_once
