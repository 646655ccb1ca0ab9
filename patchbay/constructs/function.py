"""A Lambda function with a role of its own, that may do nothing until it is granted."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from patchbay.constructs.claims import allow_claims
from patchbay.constructs.publishing import publishing
from patchbay.constructs.stage import Stage
from patchbay.events.event import Event
from patchbay.guardrails.guard import accept, accept_any_resource
from patchbay.packaging.asset import asset
from patchbay.packaging.layer import Packages

DEFAULT_TIMEOUT = Duration.seconds(60)
MEMORY = 512  # MB: with it comes about a third of a processor


class Function(Construct):
    """A function, its role and its log group."""

    function: lambda_.Function

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        name: str,
        handler: str,
        packages: Packages,
        service: str,
        environment: Mapping[str, str],
        publishes: Sequence[type[Event]],
        timeout: Duration = DEFAULT_TIMEOUT,
    ) -> None:
        super().__init__(scope, id)
        self._stage = stage
        function_name = stage.named(name)
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=stage.log_retention,
            removal_policy=stage.removal_policy,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            code=lambda_.Code.from_asset(str(asset(handler))),
            handler=f"{handler}.handler",
            runtime=stage.runtime,
            architecture=stage.architecture,
            layers=[packages],
            memory_size=MEMORY,
            timeout=timeout,
            role=self.role,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            environment={
                "AWS_RETRY_MODE": "standard",
                "POWERTOOLS_SERVICE_NAME": service,
                **environment,
            },
        )
        self._accept_what_tracing_needs()
        if publishes:
            self._allow_publishing(publishes)

    def allow(self, *actions: str, on: Sequence[str]) -> None:
        """Let the function do these on the resources of those ARNs."""
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(on))
        )

    def _allow_publishing(self, publishes: Sequence[type[Event]]) -> None:
        self.function.add_environment("EVENT_BUS_NAME", self._stage.bus_name)
        allow_claims(self, self._stage, "s3:PutObject", publishes)
        for statement in publishing(Stack.of(self), self._stage, publishes):
            self.role.add_to_principal_policy(statement)

    def _accept_what_tracing_needs(self) -> None:
        accept_any_resource(
            self.role,
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            reason="X-Ray's PutTraceSegments and PutTelemetryRecords know no resources.",
        )
        if self._stage.name == "local":
            accept(
                self.function,
                {"AwsSolutions-L1": "Locally, functions run on this machine's own Python."},
            )
