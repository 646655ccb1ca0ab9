"""A function's logs, in JSON, and its metrics, in embedded metric format."""

from functools import cache

from aws_lambda_powertools import Logger, Metrics

NAMESPACE = "Patchbay"


@cache
def logger() -> Logger:
    """Return the function's logger; its service name comes from POWERTOOLS_SERVICE_NAME."""
    return Logger()


@cache
def metrics() -> Metrics:
    """Return the function's metrics, by service."""
    return Metrics(namespace=NAMESPACE)
