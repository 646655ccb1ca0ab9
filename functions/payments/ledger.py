"""What the payment provider's stand-in keeps: items by id, in a table or in its own memory."""

from typing import Any, Protocol

import boto3

Item = dict[str, Any]


class Ledger(Protocol):
    """Items that have an `id`. Many threads may use it at once."""

    def get(self, key: str) -> Item | None:
        """The item of that id, as it is now."""

    def put(self, item: Item) -> None:
        """Keep an item, in place of what is there under its id."""

    def add(self, item: Item) -> bool:
        """Keep an item whose id is new; False where it is not, and nothing has changed."""

    def page(self, after: str | None) -> tuple[list[Item], str | None]:
        """Some items, and the id to give next for those that follow; None if these are all."""


class TableLedger:
    """In a DynamoDB table, where every instance of a function finds it."""

    def __init__(self, table: str) -> None:
        self._table = table
        # The resource's client, unlike the resource, may be used by many threads at once.
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
    """In this process, for a provider that has only the one."""

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
