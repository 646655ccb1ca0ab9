"""What the state machines of the event-driven side have used: the cloud's CloudTrail has it not."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from demo.coupling.shops import Shops

# What a task costs besides its transition, by the end of its resource's name. A transaction is of
# two items of up to 1 KB: two write units each. A function says itself what it has used.
TASKS = {
    "dynamodb:transactWriteItems": ("dynamodb_writes", 4),
    "dynamodb:putItem": ("dynamodb_writes", 1),
    "dynamodb:updateItem": ("dynamodb_writes", 1),
    "events:putEvents": ("events", 1),
}


class Workflows:
    """Reads the histories of executions, as an operator would."""

    def __init__(self, shops: Shops) -> None:
        self._client = shops.cloud.client("stepfunctions")

    def used(self, since: float) -> dict[str, float]:
        """What was used by the executions that have started since then."""
        found: defaultdict[str, float] = defaultdict(float)
        for event in self._events(since):
            for unit, amount in cost_of(event):
                found[unit] += amount
        return found

    def _events(self, since: float) -> Iterator[dict[str, Any]]:
        listed = self._client.get_paginator("list_executions")
        history = self._client.get_paginator("get_execution_history")
        for machine in self._client.list_state_machines()["stateMachines"]:
            for page in listed.paginate(stateMachineArn=machine["stateMachineArn"]):
                for run in page["executions"]:
                    if run["startDate"].timestamp() < since:
                        continue
                    for events in history.paginate(executionArn=run["executionArn"]):
                        yield from events["events"]


def cost_of(event: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The units that an event of an execution's history tells of, and how many of them."""
    if event["type"].endswith("StateEntered"):
        yield "state_transitions", 1
    elif event["type"] == "TaskScheduled":
        details = event["taskScheduledEventDetails"]
        name = f"{details['resourceType']}:{details['resource']}"
        yield from (cost for ending, cost in TASKS.items() if name.endswith(ending))
