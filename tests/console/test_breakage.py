"""Breaking and mending a consumer."""

import json
from typing import Any

import pytest

from patchbay.console import breakage
from patchbay.console.breakage import break_, broken, mend
from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.topology.consumers import Consumer

CONSUMERS = [
    Consumer(name, "", "", f"/aws/lambda/records-local-{name}", None, ())
    for name in ("journal", "payments")
]


class Cloud:
    """Functions with their roles, and the roles' inline policies."""

    def __init__(self) -> None:
        self.policies: dict[str, dict[str, str]] = {}

    def client(self, service: str, /) -> Any:
        assert service in ("iam", "lambda")
        return self

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, str]:  # noqa: N803
        return {"Role": f"arn:aws:iam::1:role/path/{FunctionName}-role"}

    def put_role_policy(self, **asked: str) -> None:
        role = self.policies.setdefault(asked["RoleName"], {})
        role[asked["PolicyName"]] = asked["PolicyDocument"]

    def delete_role_policy(self, **asked: str) -> None:
        del self.policies[asked["RoleName"]][asked["PolicyName"]]

    def list_role_policies(self, *, RoleName: str) -> dict[str, list[str]]:  # noqa: N803
        return {"PolicyNames": ["its-own", *self.policies.get(RoleName, {})]}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    def deployed(clients: Clients, bus: str) -> list[Consumer]:
        return CONSUMERS

    monkeypatch.setattr(breakage, "deployed_consumers", deployed)
    return Cloud()


def test_a_broken_consumer_is_denied_dynamodb_and_the_others_are_not(cloud: Cloud) -> None:
    break_(cloud, "local", "payments")
    assert broken(cloud, CONSUMERS) == {"payments"}
    ((role, policies),) = cloud.policies.items()
    assert role == "records-local-payments-role"
    (statement,) = json.loads(policies["broken-on-purpose"])["Statement"]
    assert statement == {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}


def test_mending_removes_the_policy_and_may_be_repeated(cloud: Cloud) -> None:
    break_(cloud, "local", "payments")
    for _ in range(2):
        mend(cloud, "local", "payments")
    assert broken(cloud, CONSUMERS) == set()
    assert cloud.policies == {"records-local-payments-role": {}}


def test_a_consumer_is_broken_on_the_local_stage_only(cloud: Cloud) -> None:
    with pytest.raises(UserError, match="on the stage 'local' only"):
        break_(cloud, "dev", "payments")
    assert cloud.policies == {}


def test_an_unknown_consumer_is_reported_with_a_suggestion(cloud: Cloud) -> None:
    with pytest.raises(UserError, match="Did you mean 'payments'"):
        break_(cloud, "local", "payment")
