"""Breaking and mending a consumer: while it is broken, each of its attempts fails.

An inline policy on the function's role denies it DynamoDB. The role's other policies stay as they
are: to mend the consumer is to delete that one policy.
"""

import json
from collections.abc import Iterable

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import consumer_named, deployed_consumers
from patchbay.project.naming import bus_name
from patchbay.topology.consumers import Consumer

POLICY = "broken-on-purpose"
# Not every action: without access to its queue, the consumer would receive nothing, and not fail.
DENIED = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
WHERE = "local"


def break_(clients: Clients, stage: str, name: str) -> None:
    """Make each of a consumer's attempts fail; raises UserError."""
    if stage != WHERE:
        raise UserError(
            f"The stage {stage!r} is not the local one: consumers are broken on purpose "
            f"on the stage {WHERE!r} only."
        )
    document = json.dumps({"Version": "2012-10-17", "Statement": [DENIED]})
    clients.client("iam").put_role_policy(
        RoleName=_role(clients, _named(clients, stage, name)),
        PolicyName=POLICY,
        PolicyDocument=document,
    )


def mend(clients: Clients, stage: str, name: str) -> None:
    """Mend a consumer, if it is broken; raises UserError."""
    consumer = _named(clients, stage, name)
    if _is_broken(clients, consumer):
        clients.client("iam").delete_role_policy(
            RoleName=_role(clients, consumer), PolicyName=POLICY
        )


def broken(clients: Clients, consumers: Iterable[Consumer]) -> set[str]:
    """Return the names of the consumers that are broken on purpose."""
    return {consumer.name for consumer in consumers if _is_broken(clients, consumer)}


def _is_broken(clients: Clients, consumer: Consumer) -> bool:
    listed = clients.client("iam").list_role_policies(RoleName=_role(clients, consumer))
    return POLICY in listed["PolicyNames"]


def _named(clients: Clients, stage: str, name: str) -> Consumer:
    return consumer_named(deployed_consumers(clients, bus_name(stage)), name)


def _role(clients: Clients, consumer: Consumer) -> str:
    function = consumer.log_group.rpartition("/")[2]
    configuration = clients.client("lambda").get_function_configuration(FunctionName=function)
    return str(configuration["Role"]).rpartition("/")[2]
