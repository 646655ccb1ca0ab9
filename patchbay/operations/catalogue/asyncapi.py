"""The catalogue as an AsyncAPI 3 document, for the tools that read those.

    patchbay asyncapi           print it
    patchbay asyncapi --write   write it to docs/asyncapi.json

Each type of event is a channel: its publishers send to it, and the consumers whose rules match it
receive from it. Publishers and rules are read from the templates of the stage dev, which are
synthesized again if their sources have changed. In a name, `{stage}` stands for the stage.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from patchbay.events.catalogue import events
from patchbay.events.descriptions import describe
from patchbay.events.event import Metadata
from patchbay.operations.catalogue.catalogue import KnownEvent, known_events
from patchbay.operations.event_ids import ids_in
from patchbay.project.naming import bus_name, named
from patchbay.project.root import ROOT
from patchbay.topology.routes import Route, Subscription, routes, short_name
from patchbay.topology.template import Resource, Template

FILE = ROOT / "docs" / "asyncapi.json"
STAGE = "dev"  # whose templates are read

Part = dict[str, Any]

_COMPONENT = "#/components/schemas/{model}"
_STAGE = "{stage}"
_INFO: Part = {
    "title": "Patchbay",
    # The document's own version. Each event has its version in its metadata.
    "version": "1",
    "description": (
        "The events that the services publish to each other. A message's payload is the `detail` "
        "of an event on EventBridge. Where its metadata holds a claim, the data is too large for "
        "the bus: all of it is in S3, and on the bus are its small fields alone."
    ),
    "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
}
_SERVERS: Part = {
    "bus": {
        "host": "events.{region}.amazonaws.com",
        "pathname": f"/{bus_name(_STAGE)}",
        "protocol": "eventbridge",
        "description": "The stage's event bus.",
        "variables": {
            "region": {"description": "The AWS region that it is deployed to."},
            "stage": {"enum": ["local", "dev", "prod"], "default": STAGE},
        },
    }
}
_JOURNEY: Part = {
    "description": "The journey to which the event belongs.",
    "location": "$message.payload#/metadata/correlation_id",
}


def document(templates: Mapping[str, Template]) -> Part:
    """Return the document for the contracts' events and a stage's templates."""
    found = {route.event.detail_type(): route for route in routes(templates)}
    known = known_events(templates)
    return {
        "asyncapi": "3.0.0",
        "info": _INFO,
        "defaultContentType": "application/json",
        "servers": _SERVERS,
        "channels": {event.type: _channel(event) for event in known},
        "operations": {
            name: operation
            for event in known
            for name, operation in _operations(event, found[event.type])
        },
        "components": {
            "messages": {event.type: _message(event) for event in known},
            "schemas": _schemas(),
            "correlationIds": {"journey": _JOURNEY},
        },
    }


def text(found: Part) -> str:
    """Format the document as in its file."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _channel(event: KnownEvent) -> Part:
    return {
        "address": f"{event.source}/{event.type}",
        "title": event.type,
        "description": event.description,
        "servers": [{"$ref": "#/servers/bus"}],
        "messages": {event.type: {"$ref": f"#/components/messages/{event.type}"}},
        "tags": [{"name": event.source}],
    }


def _message(event: KnownEvent) -> Part:
    metadata = {
        "allOf": [
            {"$ref": _COMPONENT.format(model=Metadata.__name__)},
            {"type": "object", "properties": {"version": {"const": event.version}}},
        ]
    }
    data = {"$ref": _COMPONENT.format(model=event.type)}
    constants = {"source": event.source, "detail-type": event.type}
    return {
        "name": event.type,
        "title": event.type,
        "summary": event.description,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {name: {"const": value} for name, value in constants.items()},
            "required": list(constants),
        },
        "payload": {
            "type": "object",
            "properties": {"metadata": metadata, "data": data},
            "required": ["metadata", "data"],
        },
        "correlationId": {"$ref": "#/components/correlationIds/journey"},
        "examples": _examples(event, constants),
    }


def _examples(event: KnownEvent, constants: Mapping[str, str]) -> list[Part]:
    if event.example is None:
        return []
    metadata = {
        "id": str(uuid5(NAMESPACE_URL, event.type)),
        "version": event.version,
        "correlation_id": next(iter(ids_in(event.example).values()), "journey-1"),
        "causation_id": None,
        "published_at": "2026-01-01T12:00:00Z",
    }
    payload = {"metadata": metadata, "data": event.example}
    return [{"name": event.type, "headers": dict(constants), "payload": payload}]


def _operations(event: KnownEvent, route: Route) -> Iterator[tuple[str, Part]]:
    for publisher in route.publishers:
        title = f"{publisher.name} publishes {event.type}"
        yield _key(title), _operation("send", title, event, publisher.service)
    for subscription in route.subscriptions:
        title = f"{subscription.consumer} consumes {event.type}"
        operation = _operation("receive", title, event, subscription.service)
        if condition := subscription.condition:
            operation["description"] = f"Only where {condition}."
        elif subscription.takes_everything:
            operation["description"] = "It takes every event that there is."
        yield _key(title), operation | {"bindings": {"sqs": _queue_binding(subscription)}}


def _operation(action: str, title: str, event: KnownEvent, service: str) -> Part:
    channel = f"#/channels/{event.type}"
    return {
        "action": action,
        "title": title,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.type}"}],
        "tags": [{"name": service}],
    }


def _key(title: str) -> str:
    return title.replace(" ", "-")


def _queue_binding(subscription: Subscription) -> Part:
    """Return the consumer's queue, with its dead-letter queue, as an SQS binding."""
    resources = subscription.resources
    queue = resources.queue.properties
    return {
        "queues": [
            {
                "name": _in_any_stage(resources.queue),
                "fifoQueue": bool(queue.get("FifoQueue")),
                "visibilityTimeout": queue["VisibilityTimeout"],
                "messageRetentionPeriod": queue["MessageRetentionPeriod"],
                "redrivePolicy": {
                    "deadLetterQueue": {"name": _in_any_stage(resources.dead_letters)},
                    "maxReceiveCount": queue["RedrivePolicy"]["maxReceiveCount"],
                },
            }
        ],
        "bindingVersion": "0.2.0",
    }


def _in_any_stage(resource: Resource) -> str:
    return named(_STAGE, short_name(resource))


def _schemas() -> Part:
    models: list[type[BaseModel]] = [*events().values(), Metadata]
    _, found = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_COMPONENT
    )
    definitions: Part = found["$defs"]
    for model in models:
        describe(definitions[model.__name__], model)
    return dict(sorted(definitions.items()))
