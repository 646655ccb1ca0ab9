"""The deployed consumers, found by their event source mappings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from patchbay.did_you_mean import suggestion
from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.event_source_mappings import all_mappings, reads_queue
from patchbay.topology.consumers import Consumer
from patchbay.topology.rules import Rule


def deployed_consumers(clients: Clients, bus: str) -> list[Consumer]:
    """Return every deployed consumer, by name, with the rules whose target is its queue.

    Returns none if the bus does not exist.
    """
    events = clients.client("events")
    try:
        rules = list(_rules(events, bus))
    except events.exceptions.ResourceNotFoundException:
        return []
    if not rules:
        return []
    mappings = list(_mappings(clients.client("lambda")))
    queues = {variables["QUEUE_URL"]: arn for arn, _, variables in mappings}
    # A relay reads the intake of an ordered consumer, and sends to the consumer's queue.
    intakes = {
        variables["RELAYS_TO"]: variables["QUEUE_URL"]
        for _, _, variables in mappings
        if "RELAYS_TO" in variables
    }
    found = []
    for _, function, variables in mappings:
        if "CONSUMER" not in variables:
            continue
        url = variables["QUEUE_URL"]
        intake_url = intakes.get(url)
        target = queues[intake_url or url]
        found.append(
            Consumer(
                name=variables["CONSUMER"],
                queue_url=url,
                dead_letters_url=variables["DEAD_LETTER_QUEUE_URL"],
                log_group=f"/aws/lambda/{function}",
                idempotency_table=variables.get("IDEMPOTENCY_TABLE"),
                rules=tuple(rule for rule in rules if target in rule.targets),
                workflow_arn=variables.get("WORKFLOW_ARN"),
                intake_url=intake_url,
            )
        )
    with_rules = [consumer for consumer in found if consumer.rules]
    return sorted(with_rules, key=lambda consumer: consumer.name)


def consumer_named(consumers: Sequence[Consumer], name: str) -> Consumer:
    """Return the consumer of that name; raises UserError with a suggestion."""
    by_name = {consumer.name: consumer for consumer in consumers}
    if name in by_name:
        return by_name[name]
    raise UserError(f"There is no consumer {name!r}. {suggestion(name, by_name)}")


def _mappings(lambda_: Any) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield each mapping's queue ARN, with its function's name and variables."""
    for mapping in all_mappings(lambda_):
        if not reads_queue(mapping):
            continue
        function = lambda_.get_function_configuration(FunctionName=mapping["FunctionArn"])
        variables = function.get("Environment", {}).get("Variables", {})
        if "QUEUE_URL" in variables:  # the account may have other functions
            yield mapping["EventSourceArn"], function["FunctionName"], variables


def _rules(events: Any, bus: str) -> Iterator[Rule]:
    for rule in paged(events.list_rules, "Rules", EventBusName=bus):
        if "EventPattern" not in rule:
            continue
        request = {"Rule": rule["Name"], "EventBusName": bus}
        targets = paged(events.list_targets_by_rule, "Targets", **request)
        arns = tuple(target["Arn"] for target in targets)
        yield Rule(rule["Name"], rule["EventPattern"], arns, rule["Arn"])


def paged(call: Any, key: str, **request: Any) -> Sequence[Mapping[str, Any]]:
    """Return the items of all pages: boto3 has no paginators for some calls of EventBridge."""
    found: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = call(**request, **token)
        found += answer[key]
        if not (following := answer.get("NextToken")):
            return found
        token = {"NextToken": following}
