"""A service: one stack, and what it can ask for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from aws_cdk import Duration, Stack, Tags
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from contracts.event import Event
from stacks.consumer import BATCH_SIZE, MAX_RECEIVE_COUNT, Consumer
from stacks.function import DEFAULT_TIMEOUT, Function
from stacks.http_api import HttpApi
from stacks.layer import Packages
from stacks.naming import SYSTEM
from stacks.outbox import Outbox
from stacks.stage import STAGES, Stage, StageName


class Service(Stack):
    """The base of every service in stacks/services.

    A subclass says in `compose` what the service consists of. Its name is its module's, and so are
    those of its folder in functions/ and of all its resources.
    """

    stages: ClassVar[frozenset[StageName]] = STAGES
    """The stages in which it is deployed."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage.named(self.service_name()), description=self.__doc__)
        self.stage = stage
        Tags.of(self).add(f"{SYSTEM}:stage", stage.name)
        Tags.of(self).add(f"{SYSTEM}:service", self.service_name())
        self.compose()

    def compose(self) -> None:
        """Make what the service consists of."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of what it consists of.")

    @classmethod
    def service_name(cls) -> str:
        return cls.__module__.rpartition(".")[2].replace("_", "-")

    def consumer(
        self,
        *,
        on: Sequence[type[Event]],
        part: str | None = None,
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
        timeout: Duration = DEFAULT_TIMEOUT,
        batch_size: int = BATCH_SIZE,
        max_receive_count: int = MAX_RECEIVE_COUNT,
    ) -> Function:
        """A function that handles these events, each once, apart from everyone else's.

        `part` names the module in the service's folder, where that is not `handler`. `timeout` is
        for a whole batch. After `max_receive_count` failures an event is a dead letter.
        """
        function = self.function(
            part, publishes=publishes, environment=environment, timeout=timeout
        )
        function.function.add_environment("IDEMPOTENCY_TABLE", self._idempotency.table_name)
        self._idempotency.grant(
            function.function, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
            "dynamodb:GetItem",
        )  # fmt: skip
        Consumer(
            self,
            _id(part, "Consumer"),
            stage=self.stage,
            name=self._named(part),
            on=on,
            function=function,
            timeout=timeout,
            batch_size=batch_size,
            max_receive_count=max_receive_count,
        )
        return function

    def function(
        self,
        part: str | None = None,
        *,
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
        timeout: Duration = DEFAULT_TIMEOUT,
    ) -> Function:
        """The function in the service's folder that `part` names, or the one called `handler`."""
        folder = self.service_name().replace("-", "_")
        return Function(
            self,
            _id(part, "Function"),
            stage=self.stage,
            name=self._named(part),
            handler=f"functions.{folder}.{part or 'handler'}",
            packages=self._packages,
            service=self.service_name(),
            environment=environment or {},
            publishes=publishes,
            timeout=timeout,
        )

    def table(
        self, name: str, *, key: str, stream: bool = False, expires: str | None = None
    ) -> dynamodb.Table:
        """A DynamoDB table with a string key; it outlives its stack where the stage keeps data.

        With `stream`, its changes can be read; `expires` names the attribute, in seconds since the
        epoch, after which an item may go.
        """
        return dynamodb.Table(
            self,
            f"{name.title()}Table",
            table_name=self.stage.named(name),
            partition_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            stream=dynamodb.StreamViewType.NEW_IMAGE if stream else None,
            time_to_live_attribute=expires,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self.stage.keeps_data,
            removal_policy=self.stage.removal_policy,
        )

    def http_api(self, routes: Mapping[str, Function]) -> HttpApi:
        """An HTTP API; `routes` says which function answers, as in `"POST /orders"`."""
        return HttpApi(
            self, "Api", stage=self.stage, name=self.stage.named(self.service_name()), routes=routes
        )

    def outbox(self, table: dynamodb.Table, function: Function) -> Outbox:
        """Have `function` publish what is written to the table: all of it, and nothing else."""
        return Outbox(
            self, "Outbox", stage=self.stage, name=self.service_name(), table=table,
            function=function,
        )  # fmt: skip

    @cached_property
    def _packages(self) -> Packages:
        return Packages(self, "Packages", stage=self.stage)

    @cached_property
    def _idempotency(self) -> dynamodb.Table:
        return self.table(f"{self.service_name()}-idempotency", key="id", expires="expiration")

    def _named(self, part: str | None) -> str:
        return f"{self.service_name()}-{part}" if part else self.service_name()


def _id(part: str | None, kind: str) -> str:
    return f"{(part or '').title()}{kind}"
