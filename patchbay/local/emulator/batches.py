"""How many batches of a queue the embedded cloud has a function handle at once.

Of a FIFO queue, MiniStack gives one at a time, since its batches may hold several message groups.
One of a single message can't; and while it is in flight, its queue keeps the rest of its group
back. So there, as many may run as anywhere: message groups go side by side, as with Lambda.

Of any queue, it takes no more than there are cores: each batch more has an environment of its own
to start, and then waits for a core like the others.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

FEWEST = 2  # that a slow message may not hold up its queue
Limit = Callable[..., int]


def limit_batches() -> None:
    """From now on, event source mappings take batches so, within their own limits."""
    from ministack.services import lambda_svc

    most = max(FEWEST, os.cpu_count() or 0)
    lambda_svc._sqs_esm_concurrency = at_once(lambda_svc._sqs_esm_concurrency, most)


def at_once(limit: Limit, most: int) -> Limit:
    """`limit`, which is 1 for a FIFO queue, but for mappings of one message; never above `most`."""

    def limit_of(mapping: Mapping[str, Any], function: Any, config: Any, queue: Any = None) -> int:
        if mapping.get("BatchSize") == 1:
            queue = None  # then it is not asked whether it is FIFO
        return min(most, limit(mapping, function, config, queue))

    return limit_of
