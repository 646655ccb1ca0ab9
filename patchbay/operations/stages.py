"""The deployed stages, and the error for a stage that is not deployed."""

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.project.naming import bus_name


def not_deployed(clients: Clients, stage: str, missing: str) -> UserError:
    """Return the error for a stage whose resource is missing; it lists the deployed stages."""
    deployed = deployed_stages(clients)
    others = f"Deployed stages: {', '.join(deployed)}. " if deployed else ""
    return UserError(
        f"There is no {missing}: is the stage {stage!r} deployed in this account and region? "
        f"{others}Select another with --stage."
    )


def deployed_stages(clients: Clients) -> list[str]:
    """Return the stages that have a bus, by name; none if the buses can't be listed."""
    prefix = bus_name("")
    try:
        answer = clients.client("events").list_event_buses(NamePrefix=prefix)
    except (BotoCoreError, ClientError):
        return []
    return sorted(bus["Name"].removeprefix(prefix) for bus in answer["EventBuses"])
