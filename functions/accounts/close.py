"""Closes the previous day: publishes the totals of its bookings."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from contracts.accounts import DayClosed
from functions.accounts.books import booked_on
from patchbay.messaging import publish, scheduled


@scheduled
def handler(at: datetime) -> None:
    day = (at.astimezone(UTC) - timedelta(days=1)).date()
    lines = list(booked_on(day))
    payments = [line.amount for line in lines if line.kind == "payment"]
    refunds = [-line.amount for line in lines if line.kind == "refund"]
    publish(
        DayClosed(
            day=day,
            payments=len(payments),
            taken=sum(payments, Decimal(0)),
            refunded=sum(refunds, Decimal(0)),
            gifts=sum(line.kind == "gift" for line in lines),
        )
    )
