"""Closes the day before."""

from datetime import UTC, datetime, timedelta

from contracts.diary import DayClosed
from functions.diary.book import pages_of
from patchbay.messaging import publish, scheduled


@scheduled
def handler(at: datetime) -> None:
    day = (at.astimezone(UTC) - timedelta(days=1)).date()
    publish(DayClosed(day=day, pages=pages_of(day)))
