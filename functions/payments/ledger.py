"""The ledger of the payment provider's stand-in: items by id, in a table or in memory."""

from typing import Any, Protocol

import boto3

Item = dict[str, Any]


class Ledger(Protocol):
    """Items by `id`; safe for use by many threads."""

    def get(self, key: str) -> Item | None:
        """Return the item with that id, or None."""

    def put(self, item: Item) -> None:
        """Write an item; it replaces one with the same id."""

    def add(self, item: Item) -> bool:
        """Write an item if its id is new; returns whether it was."""

    def page(self, after: str | None) -> tuple[list[Item], str | None]:
        """Return some items, and the id after which the next page begins; None at the end."""


class TableLedger:
    """A ledger in a DynamoDB table, shared by all instances of a function."""

    def __init__(self, table: str) -> None:
        self._table = table
        # The client is safe for many threads; the resource is not.
        self._client: Any = boto3.resource("dynamodb").meta.client

    def get(self, key: str) -> Item | None:
        answer = self._client.get_item(TableName=self._table, Key={"id": key}, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def put(self, item: Item) -> None:
        self._client.put_item(TableName=self._table, Item=item)

    def add(self, item: Item) -> bool:
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(id)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def page(self, after: str | None) -> tuple[list[Item], str | None]:
        start: Any = {"ExclusiveStartKey": {"id": after}} if after else {}
        page = self._client.scan(TableName=self._table, ConsistentRead=True, **start)
        return page["Items"], page.get("LastEvaluatedKey", {}).get("id")


class MemoryLedger:
    """A ledger in memory, for a provider in one process."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    def get(self, key: str) -> Item | None:
        return self._items.get(key)

    def put(self, item: Item) -> None:
        self._items[item["id"]] = item

    def add(self, item: Item) -> bool:
        return self._items.setdefault(item["id"], item) is item

    def page(self, after: str | None) -> tuple[list[Item], str | None]:
        return list(self._items.values()), None
