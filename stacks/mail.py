"""What a function needs to send mail."""

from aws_cdk import Stack

from stacks.function import Function
from stacks.stage import Stage


def allow_mailing(function: Function, stage: Stage) -> None:
    """Let the function send as the stage's sender, verified by its address or by its domain."""
    function.allow("ses:SendEmail", on=_identities(Stack.of(function), stage))


def _identities(stack: Stack, stage: Stage) -> list[str]:
    if stage.name == "local":
        return ["*"]  # the embedded cloud's SES knows no resources
    return [
        stack.format_arn(service="ses", resource="identity", resource_name=identity)
        for identity in (stage.mail_from, stage.mail_from.rpartition("@")[2])
    ]
