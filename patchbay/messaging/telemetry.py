"""What a function says about its work: JSON logs, and metrics in embedded metric format."""

from functools import cache

from aws_lambda_powertools import Logger, Metrics

NAMESPACE = "Patchbay"


@cache
def logger() -> Logger:
    """The function's one logger; its service name comes from POWERTOOLS_SERVICE_NAME."""
    return Logger()


@cache
def metrics() -> Metrics:
    """The function's one set of metrics, by service."""
    return Metrics(namespace=NAMESPACE)
