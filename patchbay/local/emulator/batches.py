"""Concurrency of the embedded cloud's event source mappings: the batches handled at once.

MiniStack handles one batch of a FIFO queue at a time, since a batch may hold several message
groups. A batch of one message can't, and while it is in flight, the queue holds back the rest of
its group. So with a batch size of 1, message groups are handled concurrently, as with Lambda.

For any queue, the limit is the number of cores: each further batch would start another environment,
and then wait for a core.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

FEWEST = 2  # so that one slow message does not delay the whole queue
Limit = Callable[..., int]


def limit_batches() -> None:
    """Patch MiniStack so that event source mappings have these limits, besides their own."""
    from ministack.services import lambda_svc

    most = max(FEWEST, os.cpu_count() or 0)
    lambda_svc._sqs_esm_concurrency = at_once(lambda_svc._sqs_esm_concurrency, most)


def at_once(limit: Limit, most: int) -> Limit:
    """Return `limit` without its FIFO limit of 1 for a batch size of 1, and never above `most`."""

    def limit_of(mapping: Mapping[str, Any], function: Any, config: Any, queue: Any = None) -> int:
        if mapping.get("BatchSize") == 1:
            queue = None  # then MiniStack does not check whether it is FIFO
        return min(most, limit(mapping, function, config, queue))

    return limit_of
