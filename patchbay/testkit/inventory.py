"""The inventory of a deployment: the kit's responses to an operator's queries of AWS.

The responses come from the templates. moto holds neither functions nor rules, because it would run
and deliver too, and differently from AWS. It holds tables' streams, but does not return their
records.
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
"""The log of each function, by its name without system and stage."""


class Inventory:
    """The queries of Lambda, EventBridge, Scheduler and CloudWatch Logs that the kit answers."""

    def __init__(self, templates: Callable[[], Templates], lines: Lines) -> None:
        self._current = templates
        self._lines = lines

    def knows(self, service: str, operation: str) -> bool:
        """Return whether it answers an operation."""
        return (service, operation) in _ANSWERS

    def answer(self, client: Any, operation: str, request: Mapping[str, Any]) -> Any:
        """Return AWS's response. Raise botocore's ClientError as AWS would."""
        service = client.meta.service_model.service_name
        found = _ANSWERS[service, operation](self, request)
        if found is None:
            code = "ResourceNotFoundException"
            error: Any = {"Error": {"Code": code, "Message": f"there is none: {dict(request)}"}}
            kind: type[ClientError] = client.exceptions.from_code(code)
            raise kind(error, operation)
        return found

    def redrive_policy(self, queue: str) -> dict[str, str]:
        """Return a queue's redrive policy as an attribute; moto has none, or it would redrive."""
        for resource in self._templates.all("AWS::SQS::Queue"):
            if resource.name == queue and "RedrivePolicy" in resource.properties:
                return {"RedrivePolicy": json.dumps(resource.properties["RedrivePolicy"])}
        return {}

    @property
    def _templates(self) -> Templates:
        return self._current()

    def _mappings(self, request: Mapping[str, Any]) -> Any:
        found = self._templates.all("AWS::Lambda::EventSourceMapping")
        return {"EventSourceMappings": [self._mapping(each) for each in found]}

    def _mapping(self, resource: Resource) -> dict[str, Any]:
        function = self._templates.function(resource.properties["FunctionName"])
        state = "Enabled" if resource.properties.get("Enabled", True) else "Disabled"
        described = {**resource.properties, "FunctionArn": function.arn, "State": state}
        del described["FunctionName"]
        return {"UUID": resource.id, **described}

    def _function(self, request: Mapping[str, Any]) -> Any:
        for function in self._templates.functions.values():
            if request["FunctionName"] in (function.name, function.arn):
                return {
                    "FunctionName": function.name,
                    "FunctionArn": function.arn,
                    "Environment": {"Variables": dict(function.environment)},
                }
        return None

    def _invoke_config(self, request: Mapping[str, Any]) -> Any:
        for resource in self._templates.all("AWS::Lambda::EventInvokeConfig"):
            if resource.properties["FunctionName"] == request["FunctionName"]:
                return dict(resource.properties)
        return None

    def _rules(self, request: Mapping[str, Any]) -> Any:
        return {"Rules": [self._rule(each) for each in self._rules_of(request["EventBusName"])]}

    def _rule(self, rule: Resource) -> dict[str, Any]:
        bus = rule.properties["EventBusName"]
        return {
            "Name": rule.name,
            "Arn": arn_of("AWS::Events::Rule", rule.name, bus),
            "EventPattern": json.dumps(rule.properties["EventPattern"]),
            "State": rule.properties.get("State", "ENABLED"),
            "EventBusName": bus,
        }

    def _targets(self, request: Mapping[str, Any]) -> Any:
        for rule in self._rules_of(request["EventBusName"]):
            if rule.name == request["Rule"]:
                return {"Targets": rule.properties["Targets"]}
        return None

    def _rules_of(self, bus: str) -> list[Resource]:
        rules = self._templates.all("AWS::Events::Rule")
        return [rule for rule in rules if rule.properties["EventBusName"] == bus]

    def _schedules(self, request: Mapping[str, Any]) -> Any:
        return {
            "Schedules": [
                {"Name": each.name, "GroupName": each.properties["GroupName"]}
                for each in self._templates.all("AWS::Scheduler::Schedule")
                if each.name.startswith(request.get("NamePrefix", ""))
            ]
        }

    def _schedule(self, request: Mapping[str, Any]) -> Any:
        for each in self._templates.all("AWS::Scheduler::Schedule"):
            if each.name == request["Name"]:
                return {"Name": each.name, "Target": each.properties["Target"]}
        return None

    def _log_lines(self, request: Mapping[str, Any]) -> Any:
        """Return all lines of a time range. Ignore the filter, as the embedded cloud does."""
        name = request["logGroupName"].removeprefix("/aws/lambda/")
        if name not in {each.name for each in self._templates.functions.values()}:
            return None
        since, until = request.get("startTime", 0), request.get("endTime", float("inf"))
        events = [
            {"timestamp": _moment(line), "message": json.dumps(line), "eventId": str(number)}
            for number, line in enumerate(self._lines.get(self._templates.short(name), []))
            if since <= _moment(line) <= until
        ]
        return {"events": events}

    def _shards(self, request: Mapping[str, Any]) -> Any:
        stream = TableStream(request["StreamArn"].split("/")[1], request["StreamArn"])
        shard = {"ShardId": stream.shard_id, "SequenceNumberRange": {}}
        return {"StreamDescription": {"StreamArn": stream.arn, "Shards": [shard]}}

    def _iterator(self, request: Mapping[str, Any]) -> Any:
        stream = TableStream(request["StreamArn"].split("/")[1], request["StreamArn"])
        if request["ShardId"] != stream.shard_id:
            return None
        numbers = [int(each.to_json()["dynamodb"]["SequenceNumber"]) for each in stream.records()]
        where = {
            "LATEST": max(numbers, default=0) + 1,
            "TRIM_HORIZON": 0,
            "AT_SEQUENCE_NUMBER": int(request.get("SequenceNumber", 0)),
        }
        return {"ShardIterator": f"{stream.table}/{where[request['ShardIteratorType']]}"}

    def _records(self, request: Mapping[str, Any]) -> Any:
        table, _, start = request["ShardIterator"].partition("/")
        records = [each.to_json() for each in TableStream(table, "").records()]
        found = [each for each in records if int(each["dynamodb"]["SequenceNumber"]) >= int(start)]
        following = max(
            (int(each["dynamodb"]["SequenceNumber"]) + 1 for each in found), default=start
        )
        return {"Records": found, "NextShardIterator": f"{table}/{following}"}


def _moment(line: Mapping[str, Any]) -> int:
    """Return a line's timestamp in milliseconds; 0 if it has none."""
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
