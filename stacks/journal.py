"""The journal service."""

from aws_cdk.aws_dynamodb import ProjectionType

from patchbay.constructs.service import Service


class Journal(Service):
    """Keeps a copy of every event for a while, by the journey that it belongs to."""

    def compose(self) -> None:
        journal = self.table(
            "journal",
            key="correlation_id",
            sort="moment",
            expires="expires",
            # Who has an event's id only finds its journey; the event itself is in the table.
            index="event_id",
            index_holds=ProjectionType.KEYS_ONLY,
            # For who looks at the events as they come: patchbay/operations/journeys/tail.py.
            stream=True,
        )
        tap = self.wire_tap(environment={"JOURNAL_TABLE": journal.table_name})
        tap.allow("dynamodb:PutItem", on=[journal.table_arn])
