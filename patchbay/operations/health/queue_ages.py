"""Ages of queues' oldest messages: only CloudWatch has them, about a minute late."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from patchbay.chunks import chunks
from patchbay.operations.clients import Clients

PERIOD = 60  # seconds: as often as there is a figure
LOOK_BACK = timedelta(minutes=5)  # what is older tells nothing of now
AT_ONCE = 500  # figures: GetMetricData's own limit

Metric = Mapping[str, Any]


def oldest_messages(clients: Clients, queues: Iterable[str], now: datetime) -> dict[str, float]:
    """Return each queue's age of its oldest message in seconds, where CloudWatch has one.

    The local cloud has none.
    """
    name = "ApproximateAgeOfOldestMessage"
    return _newest(
        clients, {each: _metric("AWS/SQS", name, "QueueName", each) for each in queues}, now
    )


def behind_streams(clients: Clients, functions: Iterable[str], now: datetime) -> dict[str, float]:
    """Return the seconds that functions are behind the streams that they read, by name."""
    metrics = {
        each: _metric("AWS/Lambda", "IteratorAge", "FunctionName", each) for each in functions
    }
    found = _newest(clients, metrics, now)
    return {function: milliseconds / 1000 for function, milliseconds in found.items()}


def _metric(namespace: str, name: str, dimension: str, of: str) -> Metric:
    dimensions = [{"Name": dimension, "Value": of}]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}


def _newest(clients: Clients, metrics: Mapping[str, Metric], now: datetime) -> dict[str, float]:
    cloudwatch = clients.client("cloudwatch")
    found: dict[str, float] = {}
    for asked in chunks(list(metrics), AT_ONCE):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[
                {
                    "Id": f"m{number}",
                    "MetricStat": {"Metric": metrics[name], "Period": PERIOD, "Stat": "Maximum"},
                }
                for number, name in enumerate(asked)
            ],
            StartTime=now - LOOK_BACK,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
        for result in [result for page in pages for result in page["MetricDataResults"]]:
            if result["Values"]:
                # A result that goes on in the next page has its newest in the first.
                found.setdefault(asked[int(result["Id"][1:])], float(result["Values"][0]))
    return found
