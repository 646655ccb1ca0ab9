"""The resource policy of a function, from AWS::Lambda::Permission."""

from typing import Any

from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Call, allows_service
from patchbay.testkit.templates import Resource, Templates


def may_invoke(templates: Templates, function: Function, service: str, source: str) -> bool:
    """Return whether a service may invoke a function on behalf of the source's ARN."""
    statements = [
        _statement(permission)
        for permission in templates.all("AWS::Lambda::Permission")
        if templates.function(permission.properties["FunctionName"]) == function
    ]
    call = Call("lambda:InvokeFunction", function.arn, {"AWS:SourceArn": [source]})
    return allows_service(statements, service, call)


def _statement(permission: Resource) -> dict[str, Any]:
    """Return the statement that a permission adds to its function's policy."""
    properties = permission.properties
    source = properties.get("SourceArn")
    return {
        "Effect": "Allow",
        "Principal": {"Service": properties["Principal"]},
        "Action": properties["Action"],
        "Resource": "*",
        "Condition": {"ArnLike": {"AWS:SourceArn": source}} if source else {},
    }
