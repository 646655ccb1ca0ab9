"""What a function needs to send mail."""

from aws_cdk import Stack

from patchbay.constructs.function import Function
from patchbay.constructs.stage import Stage
from patchbay.guardrails.guard import accept_any_resource


def allow_mailing(function: Function, stage: Stage) -> None:
    """Let the function send as the stage's sender, verified by its address or by its domain."""
    if stage.name == "local":
        function.allow("ses:SendEmail", on=["*"])
        reason = "The embedded cloud's SES knows no resources."
        accept_any_resource(function.role, "ses:SendEmail", reason=reason)
    else:
        function.allow("ses:SendEmail", on=_identities(Stack.of(function), stage))


def _identities(stack: Stack, stage: Stage) -> list[str]:
    return [
        stack.format_arn(service="ses", resource="identity", resource_name=identity)
        for identity in (stage.mail_from, stage.mail_from.rpartition("@")[2])
    ]
