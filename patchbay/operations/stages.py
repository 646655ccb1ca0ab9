"""The deployed stages, and the error for one that is not deployed."""

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.project.naming import bus_name


def not_deployed(clients: Clients, stage: str, missing: str) -> UserError:
    """Return the error for a stage without something, with the stages that are deployed."""
    there = deployed_stages(clients)
    others = f"There is: {', '.join(there)}. " if there else ""
    return UserError(
        f"There is no {missing}: is the stage {stage!r} deployed in this account and region? "
        f"{others}`--stage` names another."
    )


def deployed_stages(clients: Clients) -> list[str]:
    """Return the stages that have a bus, by name; none where that may not be listed."""
    prefix = bus_name("")
    try:
        answer = clients.client("events").list_event_buses(NamePrefix=prefix)
    except (BotoCoreError, ClientError):
        return []
    return sorted(bus["Name"].removeprefix(prefix) for bus in answer["EventBuses"])
