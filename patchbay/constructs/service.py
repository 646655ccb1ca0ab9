"""A service: one stack, with a method for each kind of resource."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from aws_cdk import Duration, Environment, Stack, Tags
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.aws_dynamodb import ProjectionType
from constructs import Construct

from patchbay.constructs.consumer import Consumer, Interest, Tuning
from patchbay.constructs.function import DEFAULT_TIMEOUT, Code, Function, Packages
from patchbay.constructs.http_api import HttpApi
from patchbay.constructs.ordered_intake import RELAY
from patchbay.constructs.ordered_intake import TIMEOUT as RELAY_TIMEOUT
from patchbay.constructs.outbox import Outbox
from patchbay.constructs.schedule import Schedule, schedule_group
from patchbay.constructs.stage import named, stage_of
from patchbay.constructs.stream import BATCH_SIZE as STREAM_BATCH_SIZE
from patchbay.constructs.stream import WINDOW, Stream, StreamConsumer
from patchbay.constructs.table import Table
from patchbay.constructs.workflow import Workflow
from patchbay.events.event import Event
from patchbay.events.filters import Where
from patchbay.project.naming import SERVICE_TAG, STAGE_TAG
from patchbay.project.project import KINDS, Kind, Stage
from patchbay.project.settings import check

JOURNAL = "patchbay.messaging.journal"


class SystemStack(Stack):
    """A stack of the system, named after its module. A subclass adds its resources in `compose`."""

    stage: Stage

    def __init__(self, scope: Construct) -> None:
        """Raises BadStage and BadSetting."""
        self.stage = stage_of(scope)
        super().__init__(
            scope,
            named(scope, self.service_name()),
            description=self.__doc__,
            env=_environment(self.stage),
        )
        Tags.of(self).add(STAGE_TAG, self.stage.name)
        check(self)
        self.compose()

    def compose(self) -> None:
        """Add the resources of the stack."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `compose`: define it, and add the resources there."
        )

    def context(self, key: str) -> Any:
        """Return a value of the CDK context (`cdk … -c KEY=VALUE`), or None."""
        return self.node.try_get_context(key)

    @classmethod
    def service_name(cls) -> str:
        return cls.__module__.rpartition(".")[2].replace("_", "-")


class Service(SystemStack):
    """The base of every service in stacks/.

    A subclass adds its resources in `compose`. The service is named after its module, and so are
    its folder in functions/ and all its resources.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    """The kinds of stages in which it is deployed."""

    def __init__(self, scope: Construct) -> None:
        """Raises UserError where a resource is invalid."""
        self.reads: set[str] = set()
        """The services whose streams it reads, which have to be deployed before it."""
        super().__init__(scope)
        Tags.of(self).add(SERVICE_TAG, self.service_name())

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
        tuning: Tuning | None = None,
    ) -> Function:
        """Add a function that handles these events, each once, isolated from all other consumers.

        `part` names the module in the service's folder, if it is not `handler`. `where` filters by
        the events' fields. Events with the same value of the field `ordered_by` are handled in
        order. A `naturally_idempotent` consumer, whose handler is marked the same, can handle an
        event again without effect, so it needs no idempotency table. `tuning` has the attempts, the
        timeout, the concurrency and similar options. With None for `on`, it is a `wire_tap`.
        """
        tuned = tuning or Tuning()
        function = self._function(
            _id(part, "Function"),
            self._named(part),
            self._code(
                self._module(part), tuned.timeout, publishes, environment, memory=tuned.memory
            ),
        )
        self._feed(function, part, naturally_idempotent, Interest(
            on=on, where=where, ordered_by=ordered_by,
            relay=self._relay(part) if ordered_by else None,
        ), tuned)  # fmt: skip
        return function

    def wire_tap(
        self, part: str | None = None, *, environment: Mapping[str, str] | None = None
    ) -> Function:
        """Add a function that receives every event, including those of future contracts.

        Like any consumer, it has a queue of its own, so it affects no other consumer. It has to be
        naturally idempotent: writing the same copy twice has no effect.
        """
        return self.consumer(on=None, part=part, environment=environment, naturally_idempotent=True)

    def journal(self) -> Table:
        """Add a table with a copy of every event of the last 90 days, by correlation id.

        `patchbay journey`, `patchbay tail` and the console read it. The service must be called
        `journal`.
        """
        table = self.table(
            "journal",
            key="correlation_id",
            sort="moment",
            expires="expires",
            # Finds the journey of an event's id; the event itself is in the table.
            index="event_id",
            index_holds=ProjectionType.KEYS_ONLY,
            # `patchbay tail` reads it.
            stream=True,
        )
        tap = self._function(
            "Function",
            self._named(None),
            self._code(JOURNAL, environment={"JOURNAL_TABLE": table.table_name}),
        )
        self._feed(tap, None, True, Interest(on=None), Tuning())
        tap.allow("dynamodb:PutItem", on=[table.table_arn])
        return table

    def workflow(
        self,
        *,
        on: Sequence[type[Event]],
        publishes: Sequence[type[Event]] = (),
        invokes: Mapping[str, Function] | None = None,
        substitutions: Mapping[str, str] | None = None,
    ) -> Workflow:
        """Add a state machine that runs once for each of these events, and its starter.

        It is defined in `workflow.asl.json` in the service's folder, and started by the function
        called `handler`. In the definition, `${NAME}` is replaced by the value of that name in
        `substitutions`, or the function in `invokes`, and `${EventBusName}` by the bus.
        """
        workflow = Workflow(
            self,
            "Workflow",
            name=self.service_name(),
            publishes=publishes,
            invokes=invokes or {},
            substitutions=substitutions or {},
        )
        arn = workflow.machine.state_machine_arn
        # An execution is named after its event, and a name is accepted once.
        starter = self.consumer(on=on, environment={"WORKFLOW_ARN": arn}, naturally_idempotent=True)
        starter.allow("states:StartExecution", on=[arn])
        return workflow

    def function(
        self,
        part: str | None = None,
        *,
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
        timeout: Duration = DEFAULT_TIMEOUT,
    ) -> Function:
        """Add the function in the service's folder that `part` names, or the one in `handler`."""
        code = self._code(self._module(part), timeout, publishes, environment)
        return self._function(_id(part, "Function"), self._named(part), code)

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
        """Add a function that runs at certain times, as in `every="cron(0 3 * * ? *)"`.

        `part` names the module in the service's folder. A run that fails is retried, and then is a
        dead letter.
        """
        function = self.function(
            part, publishes=publishes, environment=environment, timeout=timeout
        )
        Schedule(
            self,
            _id(part, "Schedule"),
            name=self._named(part),
            function=function,
            every=every,
            time_zone=time_zone,
            group=self._schedules,
        )
        return function

    def stream(self) -> kinesis.Stream:
        """Add a Kinesis stream with the service's name, for records too frequent to be events."""
        return Stream(self, "Stream", name=self.service_name())

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
        """Add a function that reads the stream of the service called `of`.

        `part` names the module in the service's folder, where that is not `handler`. Within a
        `window`, Lambda passes the state that the function returns on to the next batch.
        """
        function = self.function(
            part, publishes=publishes, environment=environment, timeout=timeout
        )
        StreamConsumer(
            self,
            _id(part, "StreamConsumer"),
            name=self._named(part),
            stream_arn=self.format_arn(
                service="kinesis", resource="stream", resource_name=named(self, of)
            ),
            function=function,
            window=window,
            batch_size=batch_size,
        )
        self.reads.add(of)
        return function

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
        """Add a DynamoDB table with a string key; it is retained where the stage keeps data.

        With `sort`, items of one key are kept in the order of that attribute, a string too.
        With `stream`, its changes can be read; `expires` names the attribute with the time, in
        seconds since the epoch, after which an item may be deleted. With `index`, items can be
        queried by that attribute, in an index of the same name; `index_holds` is its projection.
        """
        return Table(
            self,
            f"{name.title()}Table",
            name=name,
            key=key,
            sort=sort,
            stream=stream,
            expires=expires,
            index=index,
            index_holds=index_holds,
        )

    def http_api(self, routes: Mapping[str, Function]) -> HttpApi:
        """Add an HTTP API; `routes` maps each route, such as `POST /readings`, to its function."""
        return HttpApi(self, "Api", name=self.service_name(), routes=routes)

    def outbox(self, table: Table, function: Function) -> Outbox:
        """Connect `function` to the table's stream, to publish the items written to the table."""
        return Outbox(self, "Outbox", name=self.service_name(), table=table, function=function)

    def _feed(
        self,
        function: Function,
        part: str | None,
        naturally_idempotent: bool,
        interest: Interest,
        tuning: Tuning,
    ) -> None:
        if not naturally_idempotent:
            self._make_idempotent(function)
        Consumer(
            self,
            _id(part, "Consumer"),
            name=self._named(part),
            function=function,
            interest=interest,
            tuning=tuning,
        )

    def _make_idempotent(self, function: Function) -> None:
        """Grant the function the idempotency table of its service."""
        function.function.add_environment("IDEMPOTENCY_TABLE", self._idempotency.table_name)
        self._idempotency.grant(
            function.function, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
            "dynamodb:GetItem",
        )  # fmt: skip

    def _relay(self, part: str | None) -> Function:
        """Add the relay of an ordered consumer."""
        name = f"{self._named(part)}-relay"
        return self._function(_id(part, "Relay"), name, self._code(RELAY, RELAY_TIMEOUT))

    def _function(self, id: str, name: str, code: Code) -> Function:
        return Function(self, id, name=name, code=code)

    def _code(
        self,
        handler: str,
        timeout: Duration = DEFAULT_TIMEOUT,
        publishes: Sequence[type[Event]] = (),
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Code:
        return Code(
            handler=handler,
            service=self.service_name(),
            layer=self._packages,
            environment=environment or {},
            publishes=publishes,
            timeout=timeout,
            **options,
        )

    def _module(self, part: str | None) -> str:
        """Return the module in the service's folder that `part` names."""
        folder = self.service_name().replace("-", "_")
        return f"functions.{folder}.{part or 'handler'}"

    @cached_property
    def _packages(self) -> Packages:
        return Packages(self, "Packages")

    @cached_property
    def _schedules(self) -> scheduler.CfnScheduleGroup:
        return schedule_group(self, self.service_name())

    @cached_property
    def _idempotency(self) -> Table:
        return self.table(f"{self.service_name()}-idempotency", key="id", expires="expiration")

    def _named(self, part: str | None) -> str:
        return f"{self.service_name()}-{part}" if part else self.service_name()


def _environment(stage: Stage) -> Environment | None:
    """Return the account and region of a stage; None where it can be deployed to any."""
    if stage.account is None and stage.region is None:
        return None
    return Environment(account=stage.account, region=stage.region)


def _id(part: str | None, kind: str) -> str:
    return f"{(part or '').title()}{kind}"
