"""The deployed templates of a stage, from which its routes are read."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from patchbay.operations.clients import Clients
from patchbay.operations.stages import not_deployed
from patchbay.project.naming import named
from patchbay.topology.template import Template

# The statuses of stacks that are deleted, or were never created.
WITHOUT_TEMPLATE = {"DELETE_COMPLETE", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}


def deployed_templates(clients: Clients, stage: str) -> dict[str, Template]:
    """Return the templates of a stage's stacks, by the stacks' names; raises UserError.

    A template has all of a stack's roles and rules, and takes one request.
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
    answer = error.response["Error"]
    return answer["Code"] == "ValidationError" and "does not exist" in answer.get("Message", "")


def _body(template: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a template as JSON: boto3 may have parsed it already."""
    body: Mapping[str, Any] = json.loads(template) if isinstance(template, str) else template
    return body
