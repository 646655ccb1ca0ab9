import json
import os
from typing import Any
from unittest.mock import patch

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from hypothesis import given
from hypothesis import strategies as st

from patchbay.messaging import redelivery
from patchbay.messaging import relay as relaying
from patchbay.messaging.relay import MAX_ENTRIES, Relayed, in_order, requests
from tests.patchbay.messaging.wire import Context


def record(number: int, body: Any) -> dict[str, Any]:
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:intake.fifo",
    }


def event(number: int, picker: Any, *, second: int | None = None) -> dict[str, Any]:
    at = number if second is None else second
    metadata = {"id": f"event-{number}", "published_at": f"2026-01-01T00:00:{at:02}Z"}
    return {"detail": {"metadata": metadata, "data": {"picker_id": picker}}}


class Sqs:
    """A queue that refuses some messages, and writes down what it takes."""

    def __init__(self, refuse: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        self.taken: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self._refuse = refuse

    def send_message_batch(self, *, QueueUrl: str, Entries: Any) -> dict[str, Any]:  # noqa: N803
        failed = []
        for entry in Entries:
            if entry["MessageDeduplicationId"] in self._refuse:
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.taken.append((entry["MessageGroupId"], entry["MessageBody"]))
                self.ids.append(entry["MessageDeduplicationId"])
        return {"Failed": failed}


def relay(*bodies: Any, sqs: Sqs) -> list[str]:
    """Relay a batch; returns the ids of the messages that are to come back."""
    batch = {"Records": [record(number, body) for number, body in enumerate(bodies, start=1)]}
    variables = {"RELAYS_TO": "https://queue", "ORDERED_BY": "picker_id"}
    with (
        patch.dict(os.environ, variables),
        patch.object(relaying, "_client", lambda: sqs),
        patch.object(redelivery, "change_visibility", lambda record, seconds: None),
    ):
        answer = relaying.handler(batch, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_each_key_is_a_message_group_and_each_event_is_deduplicated_by_its_id() -> None:
    sqs = Sqs()
    assert relay(event(1, "A"), event(2, "B"), event(3, "A"), sqs=sqs) == []
    assert [group for group, _ in sqs.taken] == ["A", "B", "A"]
    assert sqs.ids == ["event-1", "event-2", "event-3"]


def test_events_out_of_order_in_a_batch_are_sorted() -> None:
    sqs = Sqs()
    relay(event(1, "A", second=9), event(2, "A", second=3), event(3, "A", second=6), sqs=sqs)
    assert sqs.ids == ["event-2", "event-3", "event-1"]


def test_a_message_that_fails_holds_back_the_later_ones_of_its_group_only() -> None:
    sqs = Sqs(refuse={"event-2"})
    bodies = [event(1, "A"), event(2, "A"), event(3, "B"), event(4, "A")]
    assert relay(*bodies, sqs=sqs) == ["message-2", "message-4"]
    assert sqs.ids == ["event-1", "event-3"]


def test_a_replay_is_not_taken_for_a_duplicate_of_the_first_delivery() -> None:
    sqs = Sqs()
    replayed = event(1, "A") | {"replay-name": "accounts-statement.20261123T101500Z"}
    relay(event(1, "A"), replayed, sqs=sqs)
    assert sqs.ids == ["event-1", "accounts-statement.20261123T101500Z/event-1"]


@pytest.mark.parametrize(
    "body",
    ["no JSON", "[]", '{"detail": "text"}', {"detail": {"data": {}}}, {"detail": {"metadata": 7}}],
)
def test_an_unreadable_message_is_relayed_in_a_group_of_its_own(body: Any) -> None:
    sqs = Sqs()
    assert relay(event(1, "A"), body, event(3, "A"), sqs=sqs) == []
    assert "message-2" in [group for group, _ in sqs.taken]
    assert [group for group, _ in sqs.taken if group != "message-2"] == ["A", "A"]


def test_an_event_without_a_key_is_in_a_group_of_its_own() -> None:
    sqs = Sqs()
    relay(event(1, None), event(2, None), sqs=sqs)
    assert [group for group, _ in sqs.taken] == ["event-1", "event-2"]


@pytest.mark.parametrize("key", ["a space", "ö", "k" * 129, ""])
def test_a_key_that_sqs_does_not_accept_is_replaced_by_its_digest(key: str) -> None:
    sqs = Sqs()
    relay(event(1, key), event(2, key), sqs=sqs)
    ((first, _), (second, _)) = sqs.taken
    assert first == second
    assert len(first) == 64


messages = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 400_000)), max_size=30)


@given(messages)
def test_no_request_has_two_messages_of_a_group_or_is_too_large(
    sizes: list[tuple[str, int]],
) -> None:
    all_of_them = [
        Relayed(SQSRecord(record(number, "x" * size)), group, str(number), None)
        for number, (group, size) in enumerate(sizes)
    ]
    made = list(requests(all_of_them))
    assert [message for request in made for message in request] == all_of_them
    for request in made:
        groups = [message.group for message in request]
        assert len(groups) == len(set(groups)) <= MAX_ENTRIES
        assert sum(message.size for message in request) <= 1024 * 1024
    assert in_order(all_of_them) == all_of_them
