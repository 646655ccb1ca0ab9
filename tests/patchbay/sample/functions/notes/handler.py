"""Notes readings and alerts."""

import os
from uuid import uuid4

import boto3

from contracts.alerts import AlertCleared, AlertRaised
from contracts.sensors import ReadingTaken
from patchbay.messaging import consumer

_table = boto3.resource("dynamodb").Table(os.environ["NOTES_TABLE"])


@consumer
def handler(event: ReadingTaken | AlertRaised | AlertCleared) -> None:
    note = {"note_id": str(uuid4()), "sensor_id": event.sensor_id, "type": event.detail_type()}
    _table.put_item(Item=note)
