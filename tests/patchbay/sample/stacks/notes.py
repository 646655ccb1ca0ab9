"""The notes service."""

from contracts.alerts import AlertCleared, AlertRaised
from contracts.sensors import ReadingTaken
from patchbay.constructs import Service


class Notes(Service):
    """Notes readings and alerts."""

    def compose(self) -> None:
        notes = self.table("notes", key="note_id")
        writer = self.consumer(
            on=[ReadingTaken, AlertRaised, AlertCleared],
            environment={"NOTES_TABLE": notes.table_name},
        )
        notes.grant(writer.function, "dynamodb:PutItem")
