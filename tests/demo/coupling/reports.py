"""Sample reports."""

from typing import Any

EVENTS, REQUESTS = "event-driven", "request-response"


def side(
    *, placed: int = 40, finished: int = 40, charged: int = 0, answer: float | None = 0.1
) -> dict[str, Any]:
    return {
        "placed": placed,
        "accepted": finished,
        "finished": finished,
        "charged_but_not_finished": charged,
        "finished_but_not_mailed": 0,
        "answer": {"p50": answer, "p95": answer},
        "finish": {"p50": answer, "p95": answer},
        "used": {"events": 2.0 * placed},
        "dollars_per_million_orders": {"events": 2.0, "http_requests": 1.0},
    }


def scenario(
    service: str, fault: str, events: dict[str, Any], requests: dict[str, Any]
) -> dict[str, Any]:
    return {
        "service": service,
        "fault": fault,
        "what": "SES <refuses> & rejects",
        "sides": {EVENTS: events, REQUESTS: requests},
    }


def report(*scenarios: dict[str, Any]) -> dict[str, Any]:
    parts = {"resources": 1, "functions": 2, "queues": 3, "dollars_a_month_idle": 0.26}
    return {
        "orders": 40,
        "rate": 4,
        "parts": {EVENTS: parts, REQUESTS: parts},
        "scenarios": [scenario("none", "none", side(), side()), *scenarios],
    }
