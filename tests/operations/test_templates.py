"""The deployed templates of a stage, and the publishers in them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.settings import STAGE
from demo.surroundings import LocalShop
from patchbay.errors import UserError
from patchbay.events.catalogue import events
from patchbay.operations.templates import deployed_templates
from patchbay.topology.routes import routes
from patchbay.topology.template import Template, read
from tests.synthesis import assembly


class CloudFormation:
    """A client of CloudFormation with a stack for each template, two on a page."""

    def __init__(self, templates: Mapping[str, Template], **statuses: str) -> None:
        self.templates = templates
        self.statuses = statuses

    def client(self, service: str) -> Any:
        assert service in ("cloudformation", "events")
        return self

    def list_event_buses(self, **request: str) -> dict[str, Any]:
        return {"EventBuses": [{"Name": "records-local"}]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_stacks"
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        stacks = [(name, self.statuses.get(name, "UPDATE_COMPLETE")) for name in self.templates]
        for start in range(0, len(stacks), 2):
            summaries = [
                {"StackName": name, "StackStatus": status}
                for name, status in stacks[start : start + 2]
            ]
            yield {"StackSummaries": summaries}

    def get_template(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if StackName in self.statuses:
            error: Any = {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}
            raise ClientError({"Error": error}, "GetTemplate")
        return {"TemplateBody": self.templates[StackName].body}


@pytest.fixture(scope="module")
def dev() -> dict[str, Template]:
    return read(assembly("dev"))


def test_every_event_has_its_publishers(dev: dict[str, Template]) -> None:
    deployed = routes(deployed_templates(CloudFormation(dev), "dev"))
    found = {
        route.event.detail_type(): [(one.name, one.service, one.kind) for one in route.publishers]
        for route in deployed
    }
    assert found.keys() == events().keys()
    assert found["OrderPlaced"] == [("orders-outbox", "orders", "function")]
    assert found["OrderShipped"] == [("fulfilment", "fulfilment", "workflow")]
    assert found["DayClosed"] == [("accounts-close", "accounts", "function")]


def test_the_stacks_of_another_stage_are_left_out(dev: dict[str, Template]) -> None:
    others = {"records-prod-orders": dev["records-dev-orders"], "CDKToolkit": Template("x", {})}
    assert deployed_templates(CloudFormation({**dev, **others}), "dev").keys() == dev.keys()


def test_a_stack_that_is_deleted_meanwhile_is_left_out(dev: dict[str, Template]) -> None:
    going = CloudFormation(dev, **{"records-dev-journal": "ROLLBACK_COMPLETE"})
    assert dev.keys() - deployed_templates(going, "dev").keys() == {"records-dev-journal"}


def test_a_stage_that_is_not_deployed_is_named(dev: dict[str, Template]) -> None:
    deleted = CloudFormation(dev, **dict.fromkeys(dev, "DELETE_COMPLETE"))
    with pytest.raises(UserError, match=r"is the stage 'dev' deployed .*Deployed stages: local\."):
        deployed_templates(deleted, "dev")


@pytest.mark.embedded
def test_the_deployed_templates_have_the_routes_of_the_synthesized_ones(
    running: LocalShop,
) -> None:
    deployed = routes(deployed_templates(running.cloud, STAGE))
    assert deployed == routes(read(running.assembly))
