"""A workflow: a state machine, its role, its logs, and the alarms on failed executions."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from patchbay.constructs.alarms import alarm_on_executions
from patchbay.constructs.event_bus import publishing
from patchbay.constructs.function import Function
from patchbay.constructs.stage import bus_name, log_retention, named, removal_policy, stage_of
from patchbay.errors import UserError
from patchbay.events.event import Event
from patchbay.guardrails.guard import accept_any_resource
from patchbay.project.root import ROOT
from patchbay.topology.state_language import problems


class BadWorkflow(UserError):
    """A state machine's definition is missing or invalid."""


class Workflow(Construct):
    """A state machine of type STANDARD."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        publishes: Sequence[type[Event]],
        invokes: Mapping[str, Function],
        substitutions: Mapping[str, str],
    ) -> None:
        """Raises BadWorkflow."""
        super().__init__(scope, id)
        machine_name = named(self, name)
        values = {
            **substitutions,
            **{variable: each.function.function_arn for variable, each in invokes.items()},
            **({"EventBusName": bus_name(self)} if publishes else {}),
        }
        definition = _definition(name, values)
        stack = Stack.of(self)
        # Built here, since the role needs it before the state machine exists.
        arn = stack.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=machine_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnEquals": {"aws:SourceArn": arn},
                },
            ),
        )
        for statement in publishing(self, publishes):
            self.role.add_to_principal_policy(statement)
        if invokes:
            self.allow(
                "lambda:InvokeFunction",
                on=[each.function.function_arn for each in invokes.values()],
            )
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=machine_name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions=values,
            role=self.role,
            logs=sfn.LogOptions(
                destination=self._log_group(machine_name),
                level=sfn.LogLevel.ALL,
                # It would copy the events' data into logs that others may read. The execution's
                # history keeps it for 90 days.
                include_execution_data=not stage_of(self).keeps_data,
            ),
            tracing_enabled=True,
            removal_policy=removal_policy(self),
        )
        self._accept_log_and_tracing_permissions()
        alarm_on_executions(self, name, self.machine)

    def allow(self, *actions: str, on: Sequence[str]) -> None:
        """Allow the state machine these actions on the resources with those ARNs."""
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(on))
        )

    def _log_group(self, machine_name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            # With this prefix, one entry in the account's log resource policy, whose length is
            # limited, is enough for all state machines.
            log_group_name=f"/aws/vendedlogs/states/{machine_name}",
            retention=log_retention(self),
            removal_policy=removal_policy(self),
        )

    def _accept_log_and_tracing_permissions(self) -> None:
        accept_any_resource(
            self.role,
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            reason="Vended log delivery and X-Ray have no resource-level permissions.",
        )


def _definition(name: str, values: Mapping[str, str]) -> str:
    file = Path("functions", name.replace("-", "_"), "workflow.asl.json")
    if not (ROOT / file).is_file():
        raise BadWorkflow(
            f"There is no {file} for the workflow {name}: write its definition there."
        )
    text = (ROOT / file).read_text()
    if found := problems(text, values.keys()):
        raise BadWorkflow("\n".join([f"{file} does not define a valid state machine:", *found]))
    return text
