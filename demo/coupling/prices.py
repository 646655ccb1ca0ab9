"""AWS's list prices in us-east-1, without the free tier, each with its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SEEN = "November 2026"
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """A price, with the title of AWS's page that has it."""

    service: str
    dollars: float
    unit: str
    page: str

    def of(self, amount: float) -> float:
        """Return the dollars for so many units."""
        return self.dollars * amount


def _per_million(service: str, dollars: float, unit: str, page: str) -> Price:
    return Price(service, dollars / MILLION, unit, page)


# AWS's pages load most of their numbers with scripts. Where another page confirms a number, it is
# in the comment, with its date. All were looked up on 2026-11-23.
PRICES = MappingProxyType(
    {
        "lambda_requests": _per_million("Lambda", 0.20, "request", "AWS Lambda pricing"),
        "lambda_gb_seconds": Price("Lambda", 0.0000133334, "GB-second, Arm", "AWS Lambda pricing"),
        # For the first 300 million a month: aws.amazon.com/blogs/compute/announcing-http-apis-for-
        # amazon-api-gateway; and still awsforengineers.com/blog/aws-api-gateway-pricing-explained,
        # 2025-05-19.
        "http_requests": _per_million(
            "API Gateway", 1.00, "HTTP API request", "Amazon API Gateway pricing"
        ),
        # cloudburn.io/blog/amazon-eventbridge-pricing, 2026-03-13
        "events": _per_million(
            "EventBridge", 1.00, "custom event of up to 64 KB", "Amazon EventBridge pricing"
        ),
        # cloudburn.io/blog/amazon-sqs-pricing, 2026-03-14, and factualminds.com/blog/amazon-sqs-
        # pricing-64kb-rule-fifo-vs-standard, 2026-06-13. A request to a FIFO queue costs 0.50.
        "sqs_requests": _per_million(
            "SQS", 0.40, "request to a standard queue", "Amazon SQS pricing"
        ),
        "dynamodb_writes": _per_million(
            "DynamoDB",
            0.625,
            "write request unit",
            "Pricing for On-Demand Capacity (Amazon DynamoDB)",
        ),
        "dynamodb_reads": _per_million(
            "DynamoDB",
            0.125,
            "read request unit",
            "Pricing for On-Demand Capacity (Amazon DynamoDB)",
        ),
        # The table of aws.amazon.com/step-functions/pricing itself, and
        # wring.co/blog/aws-step-functions-pricing-guide, 2026-03-14.
        "state_transitions": _per_million(
            "Step Functions",
            25.00,
            "transition of a standard workflow",
            "AWS Step Functions pricing",
        ),
        # Lambda's logs have had tiers since 2025-05-01. This is the first tier, and was the flat
        # price before: duckbillgroup.com/?p=9080.
        "log_gigabytes": Price(
            "CloudWatch Logs", 0.50, "GB of logs taken in", "Amazon CloudWatch pricing"
        ),
    }
)

# Pollers of an empty queue. Lambda may reduce them to two, but not for an event source mapping with
# a maximum concurrency ("Configuring scaling behavior for SQS event source mappings").
IDLE_POLLERS = 5
LONG_POLL = 20  # seconds: the longest that SQS has
SECONDS_A_MONTH = 30 * 24 * 60 * 60


def idle_polling(queues: int) -> float:
    """Return the dollars a month for polling so many empty queues."""
    return PRICES["sqs_requests"].of(queues * IDLE_POLLERS * SECONDS_A_MONTH / LONG_POLL)


def bill(usage: Mapping[str, float]) -> dict[str, float]:
    """Return the dollars for each unit used; raises KeyError for one without a price."""
    return {what: PRICES[what].of(amount) for what, amount in usage.items()}


def by_service(dollars: Mapping[str, float]) -> dict[str, float]:
    """Return the sums by service of AWS, the most expensive first."""
    sums: dict[str, float] = {}
    for what, amount in dollars.items():
        service = PRICES[what].service
        sums[service] = sums.get(service, 0.0) + amount
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def per_million_orders(usage: Mapping[str, float], orders: int) -> dict[str, float]:
    """Return the dollars for each unit, scaled from so many orders to a million."""
    return {what: dollars / orders * MILLION for what, dollars in bill(usage).items()}
