"""A wire tap on the bus: a queue of the demo that receives every event."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demo.settings import STAGE
from patchbay.local.cloud import LocalCloud
from patchbay.local.deployment import every_event
from patchbay.project.naming import bus_name, named

BATCH = 10  # SQS's own limit


@dataclass(frozen=True)
class Published:
    """An event from the bus. A malformed one may have no id and no order id."""

    text: str
    """EventBridge's JSON."""
    detail_type: str
    event_id: str | None
    order_id: str | None
    claimed: bool = False
    """Its data is in S3, by claim check, because it was too large for the bus."""

    @property
    def data(self) -> dict[str, Any]:
        """Return the data that is on the bus."""
        data: dict[str, Any] = json.loads(self.text)["detail"]["data"]
        return data


class EventRecorder:
    """A recording of every event on the bus, from its creation on."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._sqs = cloud.client("sqs")
        self._seen: list[Published] = []
        name = named(STAGE, "demo-tap")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._attribute("QueueArn")
        events = cloud.client("events")
        rule = events.put_rule(
            Name=name,
            EventBusName=bus_name(STAGE),
            EventPattern=every_event(),
        )
        self._sqs.set_queue_attributes(
            QueueUrl=self._url, Attributes={"Policy": _policy(arn, rule["RuleArn"])}
        )
        events.put_targets(
            Rule=name, EventBusName=bus_name(STAGE), Targets=[{"Id": "tap", "Arn": arn}]
        )

    def count(self) -> int:
        """Return the number of events so far; repetitions count."""
        return len(self._seen) + int(self._attribute("ApproximateNumberOfMessages"))

    def events(self) -> list[Published]:
        """Return the events so far, in any order, without repetitions."""
        while messages := self._receive():
            self._seen += [_published(message["Body"]) for message in messages]
            self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ],
            )
        return list(_without_repetitions(self._seen))

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=BATCH)
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _attribute(self, name: str) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return str(answer["Attributes"][name])


def _published(body: str) -> Published:
    event = json.loads(body)
    metadata, data = event["detail"].get("metadata", {}), event["detail"].get("data", {})
    return Published(
        text=body,
        detail_type=event["detail-type"],
        event_id=metadata.get("id"),
        order_id=data.get("order_id"),
        claimed="claim" in metadata,
    )


def _without_repetitions(events: list[Published]) -> Iterator[Published]:
    seen = set()
    for event in events:
        if event.event_id is None or event.event_id not in seen:
            seen.add(event.event_id)
            yield event


def _policy(queue: str, rule: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
