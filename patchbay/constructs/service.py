"""A service: one stack, and what it can ask for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from aws_cdk import Duration, Stack, Tags
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.aws_dynamodb import ProjectionType
from constructs import Construct

from patchbay.constructs.consumer import BATCH_SIZE, MAX_RECEIVE_COUNT, Consumer
from patchbay.constructs.function import DEFAULT_TIMEOUT, Function
from patchbay.constructs.http_api import HttpApi
from patchbay.constructs.ordered_intake import RELAY
from patchbay.constructs.ordered_intake import TIMEOUT as RELAY_TIMEOUT
from patchbay.constructs.outbox import Outbox
from patchbay.constructs.schedule import Schedule, schedule_group
from patchbay.constructs.stage import STAGES, Stage
from patchbay.constructs.stream import BATCH_SIZE as STREAM_BATCH_SIZE
from patchbay.constructs.stream import WINDOW, Stream, StreamConsumer
from patchbay.constructs.table import Table
from patchbay.constructs.workflow import Workflow
from patchbay.events.event import Event
from patchbay.events.filters import Where
from patchbay.packaging.layer import Packages
from patchbay.project.naming import SYSTEM, StageName


class Service(Stack):
    """The base of every service in stacks.

    A subclass says in `compose` what the service consists of. Its name is its module's, and so are
    those of its folder in functions/ and of all its resources.
    """

    stages: ClassVar[frozenset[StageName]] = STAGES
    """The stages in which it is deployed."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage.named(self.service_name()), description=self.__doc__)
        self.stage = stage
        self.reads: set[str] = set()
        """The services whose streams it reads, and which have to be deployed before it."""
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
        on: Sequence[type[Event]] | None,
        part: str | None = None,
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
        where: Where | None = None,
        ordered_by: str | None = None,
        naturally_idempotent: bool = False,
        timeout: Duration = DEFAULT_TIMEOUT,
        batch_size: int | None = None,
        max_receive_count: int = MAX_RECEIVE_COUNT,
    ) -> Function:
        """A function that handles these events, each once, apart from everyone else's.

        `part` names the module in the service's folder, where that is not `handler`. `timeout` is
        for a whole batch. After `max_receive_count` failures an event is a dead letter. `where`
        filters by the events' fields; `ordered_by` names the one whose equals are handled in order.
        One that is `naturally_idempotent`, and whose handler is marked so, changes nothing where it
        is given an event again: it needs no table of what it has handled. With None for `on`, it
        is a `wire_tap`.
        """
        # Of a larger batch, a failure would count for those behind it as well.
        default_size = 1 if ordered_by else BATCH_SIZE
        function = self.function(
            part, publishes=publishes, environment=environment, timeout=timeout
        )
        if not naturally_idempotent:
            self._let_remember(function)
        Consumer(
            self,
            _id(part, "Consumer"),
            stage=self.stage,
            name=self._named(part),
            on=on,
            function=function,
            where=where,
            ordered_by=ordered_by,
            relay=self._relay(part) if ordered_by else None,
            timeout=timeout,
            batch_size=batch_size or default_size,
            max_receive_count=max_receive_count,
        )
        return function

    def wire_tap(
        self, part: str | None = None, *, environment: Mapping[str, str] | None = None
    ) -> Function:
        """A function that sees every event, those of contracts that are yet to come as well.

        Like any consumer it has a queue of its own, so that nobody notices it. It is naturally
        idempotent: who keeps a copy twice has it all the same.
        """
        return self.consumer(on=None, part=part, environment=environment, naturally_idempotent=True)

    def workflow(
        self,
        *,
        on: Sequence[type[Event]],
        publishes: Sequence[type[Event]] = (),
        invokes: Mapping[str, Function] | None = None,
        substitutions: Mapping[str, str] | None = None,
    ) -> Workflow:
        """A state machine that runs once for each of these events, and the consumer that starts it.

        It is defined in `workflow.asl.json` in the service's folder, and started by the function
        called `handler`. In the definition, `${NAME}` stands for what `substitutions` says of it,
        for the function that `invokes` gives under it, or, as `${EventBusName}`, for the bus.
        """
        workflow = Workflow(
            self,
            "Workflow",
            stage=self.stage,
            name=self.service_name(),
            publishes=publishes,
            invokes=invokes or {},
            substitutions=substitutions or {},
        )
        arn = workflow.machine.state_machine_arn
        # An execution is named after its event, and a name is taken once.
        starter = self.consumer(on=on, environment={"WORKFLOW_ARN": arn}, naturally_idempotent=True)
        starter.allow("states:StartExecution", on=[arn])
        return workflow

    def _let_remember(self, function: Function) -> None:
        """Give it the table in which consumers note what they have handled."""
        function.function.add_environment("IDEMPOTENCY_TABLE", self._idempotency.table_name)
        self._idempotency.grant(
            function.function, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
            "dynamodb:GetItem",
        )  # fmt: skip

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
        return self._function(
            _id(part, "Function"),
            self._named(part),
            f"functions.{folder}.{part or 'handler'}",
            publishes=publishes,
            environment=environment,
            timeout=timeout,
        )

    def schedule(
        self,
        part: str,
        *,
        every: str,
        time_zone: str = "UTC",
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
        timeout: Duration = DEFAULT_TIMEOUT,
    ) -> Function:
        """A function that runs at certain times, as in `every="cron(0 3 * * ? *)"`.

        `part` names the module in the service's folder. A run that fails is tried again, and then
        kept as a dead letter.
        """
        function = self.function(
            part, publishes=publishes, environment=environment, timeout=timeout
        )
        Schedule(
            self,
            _id(part, "Schedule"),
            stage=self.stage,
            name=self._named(part),
            function=function,
            every=every,
            time_zone=time_zone,
            group=self._schedules,
        )
        return function

    def stream(self) -> kinesis.Stream:
        """A Kinesis stream of the service's name, for what is too frequent to be an event."""
        return Stream(self, "Stream", stage=self.stage, name=self.service_name())

    def stream_consumer(
        self,
        *,
        of: str,
        part: str | None = None,
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
        window: Duration = WINDOW,
        timeout: Duration = DEFAULT_TIMEOUT,
        batch_size: int = STREAM_BATCH_SIZE,
    ) -> Function:
        """A function that reads the stream of the service called `of`.

        `part` names the module in the service's folder, where that is not `handler`. Within a
        `window`, Lambda hands what the function returns as its state on to the next batch.
        """
        function = self.function(
            part, publishes=publishes, environment=environment, timeout=timeout
        )
        StreamConsumer(
            self,
            _id(part, "StreamConsumer"),
            stage=self.stage,
            name=self._named(part),
            stream_arn=self.format_arn(
                service="kinesis", resource="stream", resource_name=self.stage.named(of)
            ),
            function=function,
            window=window,
            batch_size=batch_size,
        )
        self.reads.add(of)
        return function

    def _relay(self, part: str | None) -> Function:
        """What brings a consumer's events into order."""
        name = f"{self._named(part)}-relay"
        return self._function(_id(part, "Relay"), name, RELAY, timeout=RELAY_TIMEOUT)

    def _function(
        self,
        id: str,
        name: str,
        handler: str,
        *,
        timeout: Duration,
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Function:
        return Function(
            self,
            id,
            stage=self.stage,
            name=name,
            handler=handler,
            packages=self._packages,
            service=self.service_name(),
            environment=environment or {},
            publishes=publishes,
            timeout=timeout,
        )

    def table(
        self,
        name: str,
        *,
        key: str,
        sort: str | None = None,
        stream: bool = False,
        expires: str | None = None,
        index: str | None = None,
        index_holds: ProjectionType = ProjectionType.ALL,
    ) -> Table:
        """A DynamoDB table with a string key; it outlives its stack where the stage keeps data.

        With `sort`, items of one key are kept in the order of that attribute, a string too.
        With `stream`, its changes can be read; `expires` names the attribute, in seconds since the
        epoch, after which an item may go. With `index`, items are found by that attribute as well,
        in the index of its name; `index_holds` says what of them.
        """
        return Table(
            self,
            f"{name.title()}Table",
            stage=self.stage,
            name=name,
            key=key,
            sort=sort,
            stream=stream,
            expires=expires,
            index=index,
            index_holds=index_holds,
        )

    def http_api(self, routes: Mapping[str, Function]) -> HttpApi:
        """An HTTP API; `routes` says which function answers, as in `"POST /orders"`."""
        return HttpApi(
            self, "Api", stage=self.stage, name=self.stage.named(self.service_name()), routes=routes
        )

    def outbox(self, table: Table, function: Function) -> Outbox:
        """Have `function` publish what is written to the table: all of it, and nothing else."""
        return Outbox(
            self, "Outbox", stage=self.stage, name=self.service_name(), table=table,
            function=function,
        )  # fmt: skip

    @cached_property
    def _packages(self) -> Packages:
        return Packages(self, "Packages", stage=self.stage)

    @cached_property
    def _schedules(self) -> scheduler.CfnScheduleGroup:
        return schedule_group(self, self.stage, self.service_name())

    @cached_property
    def _idempotency(self) -> Table:
        return self.table(f"{self.service_name()}-idempotency", key="id", expires="expiration")

    def _named(self, part: str | None) -> str:
        return f"{self.service_name()}-{part}" if part else self.service_name()


def _id(part: str | None, kind: str) -> str:
    return f"{(part or '').title()}{kind}"
