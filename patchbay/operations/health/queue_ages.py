"""Ages of queues and streams, from CloudWatch's metrics, which are about a minute late."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from patchbay.chunks import chunks
from patchbay.operations.clients import Clients

PERIOD = 60  # seconds: the period of SQS's and Lambda's metrics
LOOK_BACK = timedelta(minutes=5)  # an older value is not current
MAX_QUERIES = 500  # GetMetricData's own limit

Metric = Mapping[str, Any]


def oldest_messages(clients: Clients, queues: Iterable[str], now: datetime) -> dict[str, float]:
    """Return the age of each queue's oldest message in seconds, by name, if CloudWatch has it.

    The local cloud has no metrics.
    """
    name = "ApproximateAgeOfOldestMessage"
    return _newest(
        clients, {each: _metric("AWS/SQS", name, "QueueName", each) for each in queues}, now
    )


def behind_streams(clients: Clients, functions: Iterable[str], now: datetime) -> dict[str, float]:
    """Return how many seconds functions are behind their streams, by name."""
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
    for names in chunks(list(metrics), MAX_QUERIES):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[
                {
                    "Id": f"m{number}",
                    "MetricStat": {"Metric": metrics[name], "Period": PERIOD, "Stat": "Maximum"},
                }
                for number, name in enumerate(names)
            ],
            StartTime=now - LOOK_BACK,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
        for result in [result for page in pages for result in page["MetricDataResults"]]:
            if result["Values"]:
                # A result may continue on the next page: its newest value is on the first one.
                found.setdefault(names[int(result["Id"][1:])], float(result["Values"][0]))
    return found
