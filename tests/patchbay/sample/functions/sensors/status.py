"""Keeps the last thing that happened to each bed."""

import os

import boto3

from contracts.alerts import AlertCleared, AlertRaised
from contracts.watering import BedNotWatered, BedWatered
from patchbay.messaging import consumer, naturally_idempotent

_table = boto3.resource("dynamodb").Table(os.environ["BEDS_TABLE"])


@consumer
@naturally_idempotent
def handler(event: AlertRaised | AlertCleared | BedWatered | BedNotWatered) -> None:
    _table.update_item(
        Key={"sensor_id": event.sensor_id},
        UpdateExpression="SET #last = :last",
        ExpressionAttributeNames={"#last": "last"},
        ExpressionAttributeValues={":last": event.detail_type()},
    )
