"""The deployment of templates: stores in moto; rules, event source mappings and URLs in the kit."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any

import boto3
from moto.dynamodb.models.table import Table
from moto.events.models import events_backends
from moto.sns.models import sns_backends

from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Call, allows
from patchbay.testkit.aws.network import FunctionUrl
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.clock import Clock
from patchbay.testkit.delivery.bus import Rule, Target
from patchbay.testkit.delivery.cron import expression
from patchbay.testkit.delivery.schedule import schedules
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.polling.kinesis import make_streams, shards
from patchbay.testkit.polling.poller import DEFAULT_BATCH_SIZE, MAX_CONCURRENCY, QueueMapping
from patchbay.testkit.polling.stream import Source, StreamMapping
from patchbay.testkit.polling.table_stream import TableStream
from patchbay.testkit.reading.arns import queue_url
from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION
from patchbay.testkit.reading.unknown import reasons, refuse
from patchbay.testkit.templates import Resource, Templates
from patchbay.topology.event_pattern import EventPattern, InvalidEventPattern

# Limits of CloudFormation and the services.
MAX_BATCH_WITHOUT_WINDOW = 10
MIN_CONCURRENCY = 2
POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
READING = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream")
READING_KINESIS = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)

NO_LIMIT = float("inf")
_UNKNOWN_IN_TARGETS = ("Input", "InputPath", "InputTransformer", "RoleArn")
_UNKNOWN_IN_MAPPINGS = (
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
)


class Deployment:
    """The deployed resources of templates."""

    def __init__(self, templates: Templates, clock: Clock, buses: Iterable[str] = ()) -> None:
        """Deploy templates beside existing resources, such as these buses.

        Raise NotDeployable for a resource that AWS would refuse. A resource that the kit can't
        simulate is refused when it is used.
        """
        self._templates = templates
        self.refused: dict[str, NotInTheKit] = {}
        """The errors of sources that can't be polled, by the ARN of the queue or stream."""
        _ = templates.functions  # raises NotDeployable for a wrong role
        new = set(templates.buses) - set(buses)
        for bus in new:
            events_backends[ACCOUNT][REGION].create_event_bus(bus)
        self.buses = {*new, *buses}
        for topic in templates.all("AWS::SNS::Topic"):
            fifo = {"FifoTopic": "true"} if topic.properties.get("FifoTopic") else {}
            sns_backends[ACCOUNT][REGION].create_topic(topic.name, attributes=fifo)
        for table in templates.all("AWS::DynamoDB::Table"):
            body = {"Properties": dict(table.properties)}
            Table.create_from_cloudformation_json(table.name, body, ACCOUNT, REGION)
        make_streams(templates)
        for parameter in templates.all("AWS::SSM::Parameter"):
            _put_parameter(parameter)
        self.queues = self._make_queues(clock)
        self.rules = [self._rule(each) for each in templates.all("AWS::Events::Rule")]
        self.queue_mappings: list[QueueMapping] = []
        self.stream_mappings: list[StreamMapping] = []
        for mapping in templates.all("AWS::Lambda::EventSourceMapping"):
            try:
                self._map(mapping)
            except NotInTheKit as error:
                source = str(mapping.properties.get("EventSourceArn", ""))
                self.refused[_stream_key(source)] = error
        self.schedules, self.refused_schedules = schedules(
            templates, partial(_existing, self.queues)
        )
        self.urls = {url.host: url for url in self._urls()}

    def _make_queues(self, clock: Clock) -> dict[str, Queue]:
        """Create every queue, and return them by ARN."""
        queues: dict[str, Queue] = {}
        for resource in self._templates.all("AWS::SQS::Queue"):
            name = resource.name
            statements = self._templates.policies_of(
                "AWS::SQS::QueuePolicy", "Queues", queue_url(name)
            )
            properties = {
                key: value
                for key, value in resource.properties.items()
                if key == "RedrivePolicy" or not any(reasons(value))
            }
            queue = Queue(clock, {**properties, "QueueName": name}, statements)
            queue.refused = next(reasons(resource.properties), None)
            queues[queue.arn] = queue
        for queue in queues.values():
            if target := queue.redrive_target:
                queue.dead_letters = _existing(
                    queues, target, f"The redrive policy of {queue.name}"
                )
                if queue.is_fifo != queue.dead_letters.is_fifo:
                    raise NotDeployable(
                        f"The dead-letter queue of {queue.name} must be of the same kind as it: "
                        "FIFO or standard."
                    )
        return queues

    def _rule(self, resource: Resource) -> Rule:
        properties = resource.properties
        bus = str(properties.get("EventBusName", "default")).rpartition("/")[2]
        refused = next(reasons([properties.get("EventPattern"), bus]), None)
        if not refused and bus not in self.buses | {"default"}:
            raise NotDeployable(
                f"{resource} is on the bus {bus}, which does not exist. If it is another team's, "
                f"pass it: `Templates.from_assembly(…, buses=[{bus!r}])`."
            )
        schedule = properties.get("ScheduleExpression")
        pattern, text = None, "{}"
        if "EventPattern" in properties and not refused:
            text = json.dumps(properties["EventPattern"])
            try:
                pattern = _pattern(text)
            except InvalidEventPattern as error:
                raise NotDeployable(f"{resource} has an invalid event pattern: {error}") from error
        return Rule(
            name=resource.name,
            bus=bus,
            pattern=pattern,
            pattern_text=text,
            enabled=properties.get("State", "ENABLED").startswith("ENABLED"),
            targets=tuple(self._target(resource, each) for each in properties.get("Targets", [])),
            refused=refused,
            next=expression(schedule, "UTC") if schedule else None,
        )

    def _target(self, rule: Resource, target: Mapping[str, Any]) -> Target:
        where = f"The rule {rule.name}"
        arn = str(target["Arn"])
        dead = target.get("DeadLetterConfig", {}).get("Arn")
        retries = target.get("RetryPolicy", {})
        refused: str | None = next(reasons([arn, dead]), None)
        if unknown := [field for field in _UNKNOWN_IN_TARGETS if field in target]:
            refused = f"{where} has a target with {unknown}, which the kit can't simulate."
        made = partial(
            Target,
            id=target["Id"],
            arn=arn,
            dead_letters=_existing(self.queues, dead, where) if dead and not refused else None,
            max_attempts=int(retries.get("MaximumRetryAttempts", 185)),
            max_age=float(retries.get("MaximumEventAgeInSeconds", 24 * 60 * 60)),
        )
        if refused:
            return made(refused=refused)
        if ":sqs:" in arn:
            if arn not in self.queues:
                return made(refused=f"{where} targets {arn}, a queue not in these templates.")
            queue = self.queues[arn]
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            if queue.is_fifo and not group:
                raise NotDeployable(
                    f"{where} targets the FIFO queue {queue.name}, without a group."
                )
            return made(queue=queue, group=group, refused=queue.refused)
        if ":lambda:" in arn and self._templates.has_function(arn):
            return made(function=self._templates.function(arn))
        if ":logs:" in arn:
            return made(is_log=True)
        return made(
            refused=f"{where} targets {arn}; the kit delivers only to the app's queues and "
            "functions. Replace the target in this test, or test on the embedded cloud or on AWS."
        )

    def _map(self, resource: Resource) -> None:
        source = str(resource.properties.get("EventSourceArn", ""))
        refuse(resource.properties, str(resource))
        if unknown := [field for field in _UNKNOWN_IN_MAPPINGS if field in resource.properties]:
            raise NotInTheKit(f"{resource} has {unknown}, which the kit can't simulate.")
        function = self._templates.function(resource.properties["FunctionName"])
        if ":sqs:" in source and source not in self.queues:
            raise NotInTheKit(f"{resource} reads {source}, a queue not in these templates.")
        if ":sqs:" in source:
            self.queue_mappings.append(self._queue_mapping(resource, function))
        elif ":dynamodb:" in source:
            _check_role(function, READING, source)
            shard = TableStream(source.split("/")[1], source)
            self.stream_mappings.append(self._stream_mapping(resource, function, shard))
        elif ":kinesis:" in source:
            _check_role(function, READING_KINESIS, source)
            found = shards(source)
            if not found:
                raise NotDeployable(f"{resource} reads {source}, which does not exist.")
            self.stream_mappings += [self._stream_mapping(resource, function, s) for s in found]
        else:
            raise NotInTheKit(f"{resource} reads {source}; the kit reads queues and streams only.")

    def _queue_mapping(self, resource: Resource, function: Function) -> QueueMapping:
        properties = resource.properties
        queue = _existing(self.queues, properties["EventSourceArn"], str(resource))
        mapping = QueueMapping(
            function=function,
            queue=queue,
            enabled=bool(properties.get("Enabled", True)),
            batch_size=int(properties.get("BatchSize", DEFAULT_BATCH_SIZE)),
            window=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
            max_concurrency=int(
                properties.get("ScalingConfig", {}).get("MaximumConcurrency", MAX_CONCURRENCY)
            ),
            partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            filters=_filters(resource),
        )
        _check(mapping)
        return mapping

    def _stream_mapping(
        self, resource: Resource, function: Function, source: Source
    ) -> StreamMapping:
        properties = resource.properties
        destination = (
            properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        )
        return StreamMapping(
            function=function,
            source=source,
            enabled=bool(properties.get("Enabled", True)),
            batch_size=int(properties.get("BatchSize", 100)),
            window=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
            max_retries=_or_no_limit(properties.get("MaximumRetryAttempts")),
            max_age=_or_no_limit(properties.get("MaximumRecordAgeInSeconds")),
            bisects=bool(properties.get("BisectBatchOnFunctionError")),
            partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            on_failure=(
                _existing(self.queues, destination, str(resource)) if destination else None
            ),
            filters=_filters(resource),
            tumbling=float(properties.get("TumblingWindowInSeconds", 0)),
        )

    def _urls(self) -> Iterator[FunctionUrl]:
        for resource in self._templates.all("AWS::Lambda::Url"):
            if not self._templates.has_function(str(resource.properties["TargetFunctionArn"])):
                continue
            yield FunctionUrl(
                host=f"{resource.name}.lambda-url.{REGION}.on.aws",
                function=self._templates.function(resource.properties["TargetFunctionArn"]),
                auth=resource.properties["AuthType"],
            )


def _put_parameter(resource: Resource) -> None:
    value = resource.properties.get("Value", "")
    if any(reasons(value)):
        return  # reading it fails, as if it did not exist
    client: Any = boto3.client("ssm", region_name=REGION)
    kind = resource.properties.get("Type", "String")
    client.put_parameter(Name=resource.name, Value=str(value), Type=kind, Overwrite=True)


def _stream_key(source: str) -> str:
    """Return the identifier with which a source's change is announced: a table's is its name."""
    return source.split("/")[1] if ":dynamodb:" in source else source


def _check(mapping: QueueMapping) -> None:
    """Raise NotDeployable for a mapping that Lambda would refuse."""
    queue, function = mapping.queue, mapping.function
    if queue.visibility_timeout < function.timeout:
        raise NotDeployable(
            f"The visibility timeout of {queue.name} is {queue.visibility_timeout:g} s, shorter "
            f"than the {function.timeout:g} s that {function.name} may take."
        )
    if mapping.batch_size > MAX_BATCH_WITHOUT_WINDOW and mapping.window < 1:
        raise NotDeployable(
            f"Batches of {mapping.batch_size} from {queue.name} need a batching window of 1 s."
        )
    if mapping.max_concurrency < MIN_CONCURRENCY:
        raise NotDeployable(f"The maximum concurrency for {queue.name} is at least 2.")
    _check_role(function, POLLING, queue.arn)


def _check_role(function: Function, actions: tuple[str, ...], resource: str) -> None:
    for action in actions:
        if not allows(function.statements, Call(action, resource, {})):
            raise NotDeployable(
                f"The role of {function.name} does not allow {action} on {resource}."
            )


def _filters(resource: Resource) -> tuple[EventPattern, ...]:
    filters = resource.properties.get("FilterCriteria", {}).get("Filters", [])
    try:
        return tuple(_pattern(each["Pattern"]) for each in filters)
    except InvalidEventPattern as error:
        raise NotDeployable(f"{resource} has an invalid filter: {error}") from error


def _or_no_limit(value: Any) -> float:
    """Return a limit; -1 or no value means no limit."""
    return NO_LIMIT if value is None or int(value) == -1 else float(value)


def _existing(queues: Mapping[str, Queue], queue_arn: str, where: str) -> Queue:
    if queue_arn not in queues:
        raise NotDeployable(f"{where} names {queue_arn}, which does not exist.")
    return queues[queue_arn]


@cache
def _pattern(text: str) -> EventPattern:
    """Compile a pattern once, however often the same rule is deployed."""
    return EventPattern(text)
