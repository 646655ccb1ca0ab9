"""Has the embedded cloud take the message groups of a FIFO queue side by side, as Lambda does.

MiniStack gives a FIFO queue's function one batch at a time, since its batches may hold several
groups. One of a single message can't; and while it is in flight, its queue keeps the rest of its
group back. So there, as many may run as anywhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

Limit = Callable[..., int]


def take_groups_side_by_side() -> None:
    """From now on, batches of one message are limited by their mapping's own concurrency."""
    from ministack.services import lambda_svc

    lambda_svc._sqs_esm_concurrency = side_by_side(lambda_svc._sqs_esm_concurrency)


def side_by_side(limit: Limit) -> Limit:
    """`limit`, which is 1 for a FIFO queue, but for mappings that take one message at a time."""

    def limit_of(mapping: Mapping[str, Any], function: Any, config: Any, queue: Any = None) -> int:
        if mapping.get("BatchSize") == 1:
            queue = None  # then it is not asked whether it is FIFO
        return limit(mapping, function, config, queue)

    return limit_of
