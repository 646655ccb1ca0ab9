"""What an operator asks AWS about a deployment: the kit answers from the templates.

moto holds neither the functions nor the rules of a cloud, since it would run and deliver as well,
and do both otherwise than AWS does. It holds tables' streams, and gives no record of them away.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from patchbay.testkit.polling.table_stream import TableStream
from patchbay.testkit.reading.arns import arn_of
from patchbay.testkit.templates import Resource, Templates

Lines = Mapping[str, list[dict[str, Any]]]
"""What each function has logged, by its name without system and stage."""


class Inventory:
    """Answers for Lambda, EventBridge, Scheduler and CloudWatch Logs what is there."""

    def __init__(self, templates: Callable[[], Templates], lines: Lines) -> None:
        self._current = templates
        self._lines = lines

    def knows(self, service: str, operation: str) -> bool:
        """Whether it is the one to be asked."""
        return (service, operation) in _ANSWERS

    def answer(self, client: Any, operation: str, asked: Mapping[str, Any]) -> Any:
        """What AWS would answer; raises botocore's ClientError as it would."""
        service = client.meta.service_model.service_name
        found = _ANSWERS[service, operation](self, asked)
        if found is None:
            code = "ResourceNotFoundException"
            error: Any = {"Error": {"Code": code, "Message": f"no such thing: {dict(asked)}"}}
            kind: type[ClientError] = client.exceptions.from_code(code)
            raise kind(error, operation)
        return found

    def redrive_policy(self, queue: str) -> dict[str, str]:
        """What a queue's attributes say of it, which moto is not told, lest it redrives as well."""
        for resource in self._templates.all("AWS::SQS::Queue"):
            if resource.name == queue and "RedrivePolicy" in resource.properties:
                return {"RedrivePolicy": json.dumps(resource.properties["RedrivePolicy"])}
        return {}

    @property
    def _templates(self) -> Templates:
        return self._current()

    def _mappings(self, asked: Mapping[str, Any]) -> Any:
        found = self._templates.all("AWS::Lambda::EventSourceMapping")
        return {"EventSourceMappings": [self._mapping(each) for each in found]}

    def _mapping(self, resource: Resource) -> dict[str, Any]:
        function = self._templates.function(resource.properties["FunctionName"])
        state = "Enabled" if resource.properties.get("Enabled", True) else "Disabled"
        told = {**resource.properties, "FunctionArn": function.arn, "State": state}
        del told["FunctionName"]
        return {"UUID": resource.id, **told}

    def _function(self, asked: Mapping[str, Any]) -> Any:
        for function in self._templates.functions.values():
            if asked["FunctionName"] in (function.name, function.arn):
                return {
                    "FunctionName": function.name,
                    "FunctionArn": function.arn,
                    "Environment": {"Variables": dict(function.environment)},
                }
        return None

    def _invoke_config(self, asked: Mapping[str, Any]) -> Any:
        for resource in self._templates.all("AWS::Lambda::EventInvokeConfig"):
            if resource.properties["FunctionName"] == asked["FunctionName"]:
                return dict(resource.properties)
        return None

    def _rules(self, asked: Mapping[str, Any]) -> Any:
        return {"Rules": [self._rule(each) for each in self._rules_of(asked["EventBusName"])]}

    def _rule(self, rule: Resource) -> dict[str, Any]:
        bus = rule.properties["EventBusName"]
        return {
            "Name": rule.name,
            "Arn": arn_of("AWS::Events::Rule", rule.name, bus),
            "EventPattern": json.dumps(rule.properties["EventPattern"]),
            "State": rule.properties.get("State", "ENABLED"),
            "EventBusName": bus,
        }

    def _targets(self, asked: Mapping[str, Any]) -> Any:
        for rule in self._rules_of(asked["EventBusName"]):
            if rule.name == asked["Rule"]:
                return {"Targets": rule.properties["Targets"]}
        return None

    def _rules_of(self, bus: str) -> list[Resource]:
        rules = self._templates.all("AWS::Events::Rule")
        return [rule for rule in rules if rule.properties["EventBusName"] == bus]

    def _schedules(self, asked: Mapping[str, Any]) -> Any:
        return {
            "Schedules": [
                {"Name": each.name, "GroupName": each.properties["GroupName"]}
                for each in self._templates.all("AWS::Scheduler::Schedule")
                if each.name.startswith(asked.get("NamePrefix", ""))
            ]
        }

    def _schedule(self, asked: Mapping[str, Any]) -> Any:
        for each in self._templates.all("AWS::Scheduler::Schedule"):
            if each.name == asked["Name"]:
                return {"Name": each.name, "Target": each.properties["Target"]}
        return None

    def _log_lines(self, asked: Mapping[str, Any]) -> Any:
        """All lines of that time, whatever the pattern asks: as much as the embedded cloud does."""
        name = asked["logGroupName"].removeprefix("/aws/lambda/")
        if name not in {each.name for each in self._templates.functions.values()}:
            return None
        since, until = asked.get("startTime", 0), asked.get("endTime", float("inf"))
        events = [
            {"timestamp": _moment(line), "message": json.dumps(line), "eventId": str(number)}
            for number, line in enumerate(self._lines.get(self._templates.short(name), []))
            if since <= _moment(line) <= until
        ]
        return {"events": events}

    def _shards(self, asked: Mapping[str, Any]) -> Any:
        stream = TableStream(asked["StreamArn"].split("/")[1], asked["StreamArn"])
        shard = {"ShardId": stream.shard_id, "SequenceNumberRange": {}}
        return {"StreamDescription": {"StreamArn": stream.arn, "Shards": [shard]}}

    def _iterator(self, asked: Mapping[str, Any]) -> Any:
        stream = TableStream(asked["StreamArn"].split("/")[1], asked["StreamArn"])
        if asked["ShardId"] != stream.shard_id:
            return None
        numbers = [int(each.to_json()["dynamodb"]["SequenceNumber"]) for each in stream.records()]
        where = {
            "LATEST": max(numbers, default=0) + 1,
            "TRIM_HORIZON": 0,
            "AT_SEQUENCE_NUMBER": int(asked.get("SequenceNumber", 0)),
        }
        return {"ShardIterator": f"{stream.table}/{where[asked['ShardIteratorType']]}"}

    def _records(self, asked: Mapping[str, Any]) -> Any:
        table, _, start = asked["ShardIterator"].partition("/")
        records = [each.to_json() for each in TableStream(table, "").records()]
        found = [each for each in records if int(each["dynamodb"]["SequenceNumber"]) >= int(start)]
        following = max(
            (int(each["dynamodb"]["SequenceNumber"]) + 1 for each in found), default=start
        )
        return {"Records": found, "NextShardIterator": f"{table}/{following}"}


def _moment(line: Mapping[str, Any]) -> int:
    """When it was logged, in milliseconds, as far as it says so."""
    try:
        at = datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
    except (KeyError, TypeError, ValueError):
        return 0
    return int(at.timestamp() * 1000)


_ANSWERS: Mapping[tuple[str, str], Callable[[Inventory, Mapping[str, Any]], Any]] = {
    ("lambda", "ListEventSourceMappings"): Inventory._mappings,
    ("lambda", "GetFunctionConfiguration"): Inventory._function,
    ("lambda", "GetFunctionEventInvokeConfig"): Inventory._invoke_config,
    ("events", "ListRules"): Inventory._rules,
    ("events", "ListTargetsByRule"): Inventory._targets,
    ("scheduler", "ListSchedules"): Inventory._schedules,
    ("scheduler", "GetSchedule"): Inventory._schedule,
    ("dynamodbstreams", "DescribeStream"): Inventory._shards,
    ("dynamodbstreams", "GetShardIterator"): Inventory._iterator,
    ("dynamodbstreams", "GetRecords"): Inventory._records,
    ("logs", "FilterLogEvents"): Inventory._log_lines,
}
