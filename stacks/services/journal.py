"""The journal service."""

from stacks.service import Service


class Journal(Service):
    """Keeps a copy of every event for a while, by the journey that it belongs to."""

    def compose(self) -> None:
        journal = self.table("journal", key="correlation_id", sort="moment", expires="expires")
        tap = self.wire_tap(environment={"JOURNAL_TABLE": journal.table_name})
        journal.grant(tap.function, "dynamodb:PutItem")
