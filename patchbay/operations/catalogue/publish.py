"""Publishing of the events in a file."""

from collections.abc import Sequence
from functools import partial

from patchbay.errors import UserError
from patchbay.messaging.claim_check import Deposit, deposit_in
from patchbay.messaging.errors import PublishFailed
from patchbay.messaging.publishing import Bus, send
from patchbay.operations.catalogue.event_file import PreparedEvent
from patchbay.operations.clients import Clients
from patchbay.operations.stages import not_deployed
from patchbay.project.naming import bus_name, claims_bucket


def publish(clients: Clients, stage: str, events: Sequence[PreparedEvent]) -> None:
    """Put the events on the stage's bus, in order.

    Raises UserError, with the lines of those that EventBridge refused.
    """
    client = clients.client("events")
    name = bus_name(stage)
    try:
        # PutEvents accepts events for a bus that does not exist, and drops them.
        client.describe_event_bus(Name=name)
    except client.exceptions.ResourceNotFoundException as error:
        raise not_deployed(clients, stage, f"bus {name}") from error
    bus = Bus(name, client, partial(_deposit, clients, stage))
    try:
        send([each.event for each in events], bus)
    except PublishFailed as failure:
        message = str(failure)
        lines = [str(each.line) for each in events if each.event.event_id in message]
        raise UserError(f"{message}\nThey are on the lines {', '.join(lines)}.") from failure


def _deposit(clients: Clients, stage: str, deposit: Deposit) -> None:
    s3 = clients.client("s3")
    account = clients.client("sts").get_caller_identity()["Account"]
    deposit_in(s3, claims_bucket(stage, account, s3.meta.region_name), deposit)
