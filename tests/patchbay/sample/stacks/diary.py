"""The diary service."""

from contracts.alerts import AlertCleared, AlertRaised
from contracts.diary import DayClosed
from contracts.sensors import ReadingTaken
from patchbay.constructs import Service, below


class Diary(Service):
    """Keeps a page for each bed, notes frost, and closes each day."""

    def compose(self) -> None:
        pages = self.table("diary-pages", key="page", index="day")
        book = {"PAGES_TABLE": pages.table_name}

        writer = self.consumer(
            part="pages",
            on=[AlertRaised, AlertCleared],
            ordered_by="sensor_id",
            environment=book,
            naturally_idempotent=True,
        )
        writer.allow("dynamodb:PutItem", on=[pages.table_arn])

        frost = self.consumer(
            part="frost",
            on=[ReadingTaken],
            where={"celsius": below(0)},
            environment=book,
            naturally_idempotent=True,
        )
        frost.allow("dynamodb:PutItem", on=[pages.table_arn])

        close = self.schedule(
            "close", every="cron(0 3 * * ? *)", publishes=[DayClosed], environment=book
        )
        close.allow("dynamodb:Query", on=[f"{pages.table_arn}/index/day"])
