"""What AWS asks in us-east-1: its list prices, without the free tier, each with its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SEEN = "November 2026"
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """A price, and the title of the page of AWS's that states it."""

    service: str
    dollars: float
    unit: str
    page: str

    def of(self, amount: float) -> float:
        """Dollars for that many units."""
        return self.dollars * amount


def _per_million(service: str, dollars: float, unit: str, page: str) -> Price:
    return Price(service, dollars / MILLION, unit, page)


# AWS's pages fetch most of their numbers from elsewhere. Where somebody else's page confirms one,
# it stands beside it, with the date of that page; all were looked up on 2026-11-23.
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
        # Lambda's logs have been in tiers since 2025-05-01, of which this is the first, as the flat
        # price before: duckbillgroup.com/?p=9080.
        "log_gigabytes": Price(
            "CloudWatch Logs", 0.50, "GB of logs taken in", "Amazon CloudWatch pricing"
        ),
    }
)

# The pollers of a queue with nothing in it: Lambda makes do with two where it may, but not with a
# maximum concurrency ("Configuring scaling behavior for SQS event source mappings").
IDLE_POLLERS = 5
LONG_POLL = 20  # seconds: the longest that SQS has
SECONDS_A_MONTH = 30 * 24 * 60 * 60


def idle_polling(queues: int) -> float:
    """Dollars a month for asking so many queues whether there is anything, all the time."""
    return PRICES["sqs_requests"].of(queues * IDLE_POLLERS * SECONDS_A_MONTH / LONG_POLL)


def bill(usage: Mapping[str, float]) -> dict[str, float]:
    """Dollars for each thing used; raises KeyError for one that has no price."""
    return {what: PRICES[what].of(amount) for what, amount in usage.items()}


def by_service(dollars: Mapping[str, float]) -> dict[str, float]:
    """The same bill, summed up by AWS's services, the dearest first."""
    sums: dict[str, float] = {}
    for what, amount in dollars.items():
        service = PRICES[what].service
        sums[service] = sums.get(service, 0.0) + amount
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def per_million_orders(usage: Mapping[str, float], orders: int) -> dict[str, float]:
    """Dollars for each thing, if a million orders each used what so many used on average."""
    return {what: dollars / orders * MILLION for what, dollars in bill(usage).items()}
