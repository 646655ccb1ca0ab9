"""The usage of the event-driven side's state machines, which CloudTrail does not have."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from demo.coupling.shops import Shops

# The cost of a task besides its transition, by the end of its resource's name. A transaction has
# two items of up to 1 KB, at two write units each. The usage of a function is in its log.
TASKS = {
    "dynamodb:transactWriteItems": ("dynamodb_writes", 4),
    "dynamodb:putItem": ("dynamodb_writes", 1),
    "dynamodb:updateItem": ("dynamodb_writes", 1),
    "events:putEvents": ("events", 1),
}


class Workflows:
    """A reader of the executions' histories."""

    def __init__(self, shops: Shops) -> None:
        self._client = shops.cloud.client("stepfunctions")

    def used(self, since: float) -> dict[str, float]:
        """Return the usage of the executions that have started since then."""
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
    """Yield the cost of an event in an execution's history: the unit, and the number of units."""
    if event["type"].endswith("StateEntered"):
        yield "state_transitions", 1
    elif event["type"] == "TaskScheduled":
        details = event["taskScheduledEventDetails"]
        name = f"{details['resourceType']}:{details['resource']}"
        yield from (cost for ending, cost in TASKS.items() if name.endswith(ending))
