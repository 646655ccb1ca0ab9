"""A Lambda function with a role of its own, which has no permissions until they are granted."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr

from aws_cdk import Aws, Duration, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from patchbay.constructs.claims import claims_bucket_name
from patchbay.constructs.event_bus import publishing
from patchbay.constructs.stage import (
    architecture,
    bus_name,
    log_retention,
    named,
    removal_policy,
    runtime,
    stage_of,
)
from patchbay.errors import UserError
from patchbay.events.claim import folder
from patchbay.events.event import NAMESPACE_VARIABLE, Event, namespace
from patchbay.guardrails.guard import accept, accept_any_resource
from patchbay.packaging.asset import asset
from patchbay.packaging.layer import Target, build
from patchbay.packaging.third_party import check_imports
from patchbay.project.naming import claims_bucket

DEFAULT_TIMEOUT = Duration.seconds(60)
MEMORY = 512  # MB: with it comes about a third of a processor
_SECRET = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}"
)


@dataclass(frozen=True, kw_only=True)
class Code:
    """The code of a function: its handler's module, its timeout, memory and environment."""

    handler: str
    """The handler's module, such as functions.sensors.handler."""
    service: str
    layer: lambda_.ILayerVersion
    environment: Mapping[str, str] = field(default_factory=dict)
    publishes: Sequence[type[Event]] = ()
    timeout: Duration = DEFAULT_TIMEOUT
    memory: int = MEMORY
    """MB."""


class Packages(lambda_.LayerVersion):
    """The layer that a service's functions share: the packages of functions/requirements.txt."""

    def __init__(self, scope: Construct, id: str) -> None:
        """Raises LayerFailed."""
        stage = stage_of(scope)
        self.archive = build(
            Target(
                python=runtime(stage).name.removeprefix("python"),
                architecture=architecture(stage).name,
                here=stage.is_local,
            )
        )
        super().__init__(
            scope,
            id,
            code=lambda_.Code.from_asset(str(self.archive), asset_hash=self.archive.stem),
            compatible_runtimes=[runtime(stage)],
            compatible_architectures=[architecture(stage)],
            description="The packages that functions/requirements.txt pins",
        )


class Function(Construct):
    """A function, its role and its log group."""

    function: lambda_.Function

    def __init__(self, scope: Construct, id: str, *, name: str, code: Code) -> None:
        """Raises NoSuchModule, and NotInLayer where the handler imports a missing package."""
        super().__init__(scope, id)
        if isinstance(code.layer, Packages):
            check_imports(code.handler, code.layer.archive)
        stage, function_name = stage_of(self), named(self, name)
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=log_retention(self),
            removal_policy=removal_policy(self),
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            code=lambda_.Code.from_asset(str(asset(code.handler))),
            handler=f"{code.handler}.handler",
            runtime=runtime(stage),
            architecture=architecture(stage),
            layers=[code.layer],
            memory_size=code.memory,
            timeout=code.timeout,
            role=self.role,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            environment={
                "AWS_RETRY_MODE": "standard",
                "POWERTOOLS_SERVICE_NAME": code.service,
                NAMESPACE_VARIABLE: namespace(),
                **code.environment,
            },
        )
        self._accept_tracing_permissions()
        if stage.is_local:
            reason = "Locally, functions run on this machine's Python."
            accept(self.function, {"AwsSolutions-L1": reason})
        if code.publishes:
            self._allow_publishing(code.publishes)

    def allow(self, *actions: str, on: Sequence[str]) -> None:
        """Allow the function these actions on the resources with those ARNs."""
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(on))
        )

    def allow_claims(self, action: str, events: Iterable[type[Event]]) -> None:
        """Allow the action on the claimed data of these events, and of no others."""
        self.function.add_environment("CLAIMS_BUCKET", claims_bucket_name(self))
        folders = sorted({folder(event.source(), event.detail_type()) for event in events})
        bucket = f"arn:{Aws.PARTITION}:s3:::{claims_bucket_name(self)}"
        self.allow(action, on=[f"{bucket}/{each}*" for each in folders])
        shown = claims_bucket(stage_of(self).name, "<AWS::AccountId>", "<AWS::Region>")
        reason = "The prefix is that of one event type; each event has a key of its own."
        accept(
            self.role,
            {
                f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::{shown}/{each}*]": reason
                for each in folders
            },
        )

    def allow_secret(self, arn: str) -> None:
        """Allow the function to read this secret of Secrets Manager, and no other.

        A secret that a key of your own encrypts needs `kms:Decrypt` on that key as well.
        Raises UserError where it is not the whole ARN of a secret: by its name alone, the policy
        would need a wildcard for the six characters that Secrets Manager adds, as described in
        https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
        """
        if not Token.is_unresolved(arn) and not _SECRET.fullmatch(arn):
            raise UserError(
                f"{arn!r} is not the ARN of a secret. Use the whole ARN, with the six characters "
                "at its end: `aws secretsmanager describe-secret --secret-id NAME` shows it."
            )
        self.allow("secretsmanager:GetSecretValue", on=[arn])

    def allow_mail(self, sender: str) -> None:
        """Allow the function to send mail as this sender, whose address or domain SES has verified.

        A sender may have a name, as in `Desk <me@a.example>`: the ARN of an identity has the
        address or the domain alone
        (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html).
        Raises UserError where the sender is not an address.
        """
        _, address = parseaddr(sender)
        if "@" not in address:
            raise UserError(
                f"{sender!r} is not an address to send mail from: use one such as me@a.example."
            )
        if stage_of(self).is_local:
            self.allow("ses:SendEmail", on=["*"])
            reason = "The embedded cloud's SES has no resource-level permissions."
            accept_any_resource(self.role, "ses:SendEmail", reason=reason)
            return
        stack = Stack.of(self)
        identities = [
            stack.format_arn(service="ses", resource="identity", resource_name=identity)
            for identity in (address, address.rpartition("@")[2])
        ]
        self.allow("ses:SendEmail", on=identities)

    def _allow_publishing(self, publishes: Sequence[type[Event]]) -> None:
        self.function.add_environment("EVENT_BUS_NAME", bus_name(self))
        self.allow_claims("s3:PutObject", publishes)
        for statement in publishing(self, publishes):
            self.role.add_to_principal_policy(statement)

    def _accept_tracing_permissions(self) -> None:
        accept_any_resource(
            self.role,
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            reason="X-Ray has no resource-level permissions for these actions.",
        )
