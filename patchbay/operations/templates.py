"""The templates of a stage as they are deployed: they say who may publish what, and who gets it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from patchbay.operations.clients import Clients
from patchbay.operations.stages import not_deployed
from patchbay.project.naming import named
from patchbay.topology.routes import Route, routes
from patchbay.topology.template import Resource, Template

# What is gone, or never came to be.
WITHOUT_TEMPLATE = {"DELETE_COMPLETE", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}


@dataclass(frozen=True)
class Publisher:
    """Who may publish an event."""

    name: str
    """Its physical name without system and stage, such as `orders-outbox`."""

    service: str
    kind: Literal["function", "workflow"]


def publishers(clients: Clients, stage: str) -> dict[str, list[Publisher]]:
    """Who may publish each event of the contracts, by detail-type; raises UserError."""
    found = routes(deployed_templates(clients, stage))
    return {route.event.detail_type(): publishers_of(route, stage) for route in found}


def publishers_of(route: Route, stage: str) -> list[Publisher]:
    """Who may publish an event, by name."""
    found = [
        Publisher(
            short_name(each.resource, stage),
            each.service,
            "function" if each.resource.kind == "Lambda::Function" else "workflow",
        )
        for each in route.publishers
    ]
    return sorted(found, key=lambda publisher: publisher.name)


def short_name(resource: Resource, stage: str) -> str:
    """A resource's physical name without system and stage."""
    return resource.name.removeprefix(named(stage, ""))


def deployed_templates(clients: Clients, stage: str) -> dict[str, Template]:
    """The template of each of the stage's stacks, by the stack's name; raises UserError.

    What a stack's roles allow and its rules let through stands in there, in one request a stack.
    """
    cloudformation = clients.client("cloudformation")
    names = sorted(
        stack["StackName"]
        for page in cloudformation.get_paginator("list_stacks").paginate()
        for stack in page["StackSummaries"]
        if stack["StackName"].startswith(named(stage, ""))
        and stack["StackStatus"] not in WITHOUT_TEMPLATE
    )
    if not names:
        raise not_deployed(clients, stage, f"stack {named(stage, '…')}")
    found = {}
    for name in names:
        try:
            answer = cloudformation.get_template(StackName=name)
        except ClientError as error:
            if _is_gone(error):
                continue  # it was deleted in the meantime
            raise
        found[name] = Template(name, _body(answer["TemplateBody"]))
    return found


def _is_gone(error: ClientError) -> bool:
    told = error.response["Error"]
    return told["Code"] == "ValidationError" and "does not exist" in told.get("Message", "")


def _body(template: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The template as JSON: boto3 reads it where it can tell that it is."""
    body: Mapping[str, Any] = json.loads(template) if isinstance(template, str) else template
    return body
