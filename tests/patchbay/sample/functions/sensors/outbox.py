"""The transactional outbox: publishes `ReadingTaken` for each reading that the table holds."""

from typing import Any

from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent, event_source
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.sensors.readings import Reading
from patchbay.messaging import Cause, Outgoing, caused_by, prepare, send


@event_source(data_class=DynamoDBStreamEvent)
def handler(event: DynamoDBStreamEvent, context: LambdaContext) -> None:
    send([_taken(_reading(record)) for record in event.records])


def _reading(record: DynamoDBRecord) -> Reading:
    image: dict[str, Any] = record.dynamodb.new_image if record.dynamodb else {}
    return Reading.model_validate(image)


def _taken(reading: Reading) -> Outgoing:
    with caused_by(Cause(seed=reading.reading_id, correlation_id=reading.reading_id)):
        return prepare(reading.taken())
