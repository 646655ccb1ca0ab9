"""Cheaper forms of what moto and botocore compute anew for every call, with the same answers.

A test makes thousands of calls. A large part of their time goes into text that nobody reads (user
agents, signatures, which moto does not check), into names and parsed expressions that are the same
each time, and into a copy of whole tables for each transaction.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import moto.core.responses
import moto.dynamodb.models
import moto.sqs.models
from botocore.auth import SigV4Auth
from botocore.useragent import UserAgentString
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import expressions

_XFORMED_KEYS = XFormedAttributePicker.get_possible_keys
_underscored = cache(camelcase_to_underscores)
_method_names = cache(method_names_from_class)
_parser: Any = expressions.UpdateExpressionParser  # type: ignore[attr-defined]
_update_expression = cache(_parser.make)
_transact_write_items = DynamoDBBackend.transact_write_items

_possible_keys: dict[Any, tuple[str, ...]] = {}


def _keys_of_member(
    picker: XFormedAttributePicker, context: AttributePickerContext
) -> tuple[str, ...]:
    """Return the names that a member of an answer may have in moto's object of that class."""
    known_by = (*picker.alias_providers, context.shape, context.key, type(context.obj))
    if known_by not in _possible_keys:
        _possible_keys[known_by] = tuple(_XFORMED_KEYS(picker, context))
    return _possible_keys[known_by]


_SAME_ANSWERS: Sequence[tuple[Any, str, Any]] = (
    (moto.core.responses, "camelcase_to_underscores", _underscored),
    (moto.sqs.models, "camelcase_to_underscores", _underscored),
    (moto.core.responses, "method_names_from_class", _method_names),
    (XFormedAttributePicker, "get_possible_keys", _keys_of_member),
    (_parser, "make", _update_expression),
    (UserAgentString, "to_string", lambda _: "patchbay"),
    (SigV4Auth, "canonical_request", lambda _, request: ""),
    (SigV4Auth, "signature", lambda _, string_to_sign, request: "0" * 64),
)


@contextmanager
def faster_calls() -> Iterator[None]:
    """Within it, calls to moto cost less."""
    with ExitStack() as stack:
        for owner, name, cheaper in _SAME_ANSWERS:
            stack.enter_context(patch.object(owner, name, cheaper))
        stack.enter_context(patch.object(DynamoDBBackend, "transact_write_items", _transact))
        yield


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Run a transaction, and copy no more for its rollback than what it may change in place."""
    keys: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in transact_items:
        for part in item.values():
            if "Key" in part:
                keys[part["TableName"]].append(part["Key"])

    def snapshot(table: Table, _: object) -> Table:
        return _snapshot(backend, table, keys[table.name])

    with patch.object(Table, "__deepcopy__", snapshot, create=True):
        _transact_write_items(backend, transact_items)


def _snapshot(backend: DynamoDBBackend, table: Table, keys: list[dict[str, Any]]) -> Table:
    """Return a copy of a table, which stays as it is when the items of these keys are updated.

    The other items are shared: only an update changes an item in place.
    """
    taken = copy.copy(table)
    taken.items = defaultdict(dict)
    for hash_key, items in table.items.items():
        taken.items[hash_key] = dict(items) if table.range_key_attr else items
    for key in keys:
        hash_key, range_key = backend.get_keys_value(table, key)
        item: Any = table.get_item(hash_key, range_key)
        if item is None:
            continue
        if range_key:
            taken.items[hash_key][range_key] = copy.deepcopy(item)
        else:
            taken.items[hash_key] = copy.deepcopy(item)
    if table.stream_shard is not None:
        taken.stream_shard = copy.copy(table.stream_shard)
        taken.stream_shard.table = taken
        taken.stream_shard.items = list(table.stream_shard.items)
    return taken
