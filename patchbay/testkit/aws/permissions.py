"""A function's own policy: which service may invoke it, as AWS::Lambda::Permission says."""

from typing import Any

from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Call, allows_service
from patchbay.testkit.templates import Resource, Templates


def may_invoke(templates: Templates, function: Function, service: str, source: str) -> bool:
    """Return whether a service may invoke a function for the thing of that ARN."""
    statements = [
        _statement(permission)
        for permission in templates.all("AWS::Lambda::Permission")
        if templates.function(permission.properties["FunctionName"]) == function
    ]
    call = Call("lambda:InvokeFunction", function.arn, {"AWS:SourceArn": [source]})
    return allows_service(statements, service, call)


def _statement(permission: Resource) -> dict[str, Any]:
    """The statement that a permission adds to its function's policy."""
    properties = permission.properties
    source = properties.get("SourceArn")
    return {
        "Effect": "Allow",
        "Principal": {"Service": properties["Principal"]},
        "Action": properties["Action"],
        "Resource": "*",
        "Condition": {"ArnLike": {"AWS:SourceArn": source}} if source else {},
    }
