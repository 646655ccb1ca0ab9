"""The counts of a window: the state that Lambda passes from batch to batch."""

from pydantic import BaseModel, Field

from contracts.storefront import Interaction


class Count(BaseModel):
    """The number of views and purchases of one record."""

    views: int = 0
    purchases: int = 0


class Tally(BaseModel):
    """The counts of a part of one shard, from one sequence number to another."""

    first: str = ""
    last: str = ""
    counts: dict[str, Count] = Field(default_factory=dict)

    def count(self, sequence_number: str, interaction: Interaction) -> None:
        """Add one interaction."""
        self.first = self.first or sequence_number
        self.last = sequence_number
        count = self.counts.setdefault(interaction.record_id, Count())
        if interaction.kind == "view":
            count.views += 1
        else:
            count.purchases += 1

    def add_without_counting(self, interaction: Interaction) -> None:
        """Add a record that was counted before, but may be missing in the chart."""
        self.counts.setdefault(interaction.record_id, Count())

    def drop_counts(self) -> None:
        """Drop the counts, which are in the table, and keep the records' ids."""
        self.first = self.last = ""
        self.counts = {record_id: Count() for record_id in self.counts}
