"""Which stages are deployed: what is said to who asks for one that is not."""

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.project.naming import bus_name


def not_deployed(clients: Clients, stage: str, missing: str) -> UserError:
    """Says that a stage lacks what each has, such as a bus, and which stages there are."""
    there = deployed_stages(clients)
    others = f"There is: {', '.join(there)}. " if there else ""
    return UserError(
        f"There is no {missing}: is the stage {stage!r} deployed in this account and region? "
        f"{others}`--stage` names another."
    )


def deployed_stages(clients: Clients) -> list[str]:
    """The stages that have a bus, by name; none where nobody may ask for it."""
    prefix = bus_name("")
    try:
        answer = clients.client("events").list_event_buses(NamePrefix=prefix)
    except (BotoCoreError, ClientError):
        return []
    return sorted(bus["Name"].removeprefix(prefix) for bus in answer["EventBuses"])
