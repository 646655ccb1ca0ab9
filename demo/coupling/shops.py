"""Both shops on one embedded cloud: the app, and the one that is coupled by requests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from demo.coupling.mail_gate import SETTING, MailGate
from demo.coupling.names import EVENT_DRIVEN, NAME, REQUEST_RESPONSE, SERVICES
from demo.settings import MAIL_FROM, STAGE
from demo.shop import Shop
from demo.surroundings import Surroundings
from patchbay.deploy.synthesis import SynthesisFailed
from patchbay.local.access import ACCOUNT, REGION
from patchbay.local.cloud import LocalCloud
from patchbay.local.deploy import deploy
from patchbay.local.deployment import deploy_locally
from patchbay.processes.workspace import BUILD
from patchbay.project.naming import named
from patchbay.project.root import ROOT
from patchbay.topology.template import Resource, read

ASSEMBLY = BUILD / "coupling"
STOCK = 10**9  # more than all purchases together


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two shops."""

    name: str
    cloud: LocalCloud
    api: str
    """The name of its HTTP API."""
    orders_table: str
    prefix: str
    """The prefix of its resources' names, before the name of the service."""

    @cached_property
    def url(self) -> str:
        apis = self.cloud.client("apigatewayv2").get_apis()["Items"]
        (found,) = (api["ApiId"] for api in apis if api["Name"] == self.api)
        return f"{self.cloud.endpoint}/_aws/execute-api/{found}/$default/orders"

    @cached_property
    def functions(self) -> dict[str, list[str]]:
        """Return the names of each service's functions, by the service's name."""
        pages = self.cloud.client("lambda").get_paginator("list_functions").paginate()
        names = [each["FunctionName"] for page in pages for each in page["Functions"]]
        found = {service: self._of(service, names) for service in SERVICES}
        return {service: functions for service, functions in found.items() if functions}

    def _of(self, service: str, names: Sequence[str]) -> list[str]:
        own = f"{self.prefix}{service}"
        # The sandbox is the payment provider's, a third party.
        return [
            name
            for name in names
            if (name == own or name.startswith(f"{own}-")) and not name.endswith("-sandbox")
        ]


@dataclass(frozen=True, kw_only=True)
class Shops:
    """Both running shops, with the third parties that they share."""

    cloud: LocalCloud
    shop: Shop
    provider_url: str
    mail_gate: MailGate
    sides: tuple[Side, Side]
    resources: Mapping[str, Sequence[Resource]]
    """The resources of each side, by its name."""

    @property
    def tables(self) -> dict[str, str]:
        """Return the side of each table, by the table's name."""
        return {
            resource.properties["TableName"]: side
            for side, resources in self.resources.items()
            for resource in resources
            if resource.kind == "DynamoDB::Table"
        }

    @property
    def fulfils(self) -> bool:
        """Return whether paid orders are shipped."""
        return "fulfilment" in self.sides[0].functions


@contextmanager
def shops() -> Iterator[Shops]:
    """Deploy both shops with the CDK CLI; raises UserError."""
    with deploy_locally(Surroundings) as running:
        print("Deploying the request-response shop beside it …", flush=True)
        settings = {
            f"{NAME}.payment_provider": running.surroundings.provider_url,
            f"{NAME}.mail_from": MAIL_FROM,
        }
        assembly = _synthesize({"stage": STAGE} | settings)
        deploy(running.cloud, assembly)
        with MailGate(running.cloud) as gate:
            sides = _sides(running.cloud)
            _send_mails_through(gate, sides)
            found = Shops(
                cloud=running.cloud,
                shop=running.surroundings.shop,
                provider_url=running.surroundings.provider_url,
                mail_gate=gate,
                sides=sides,
                resources={
                    EVENT_DRIVEN: _resources(running.assembly),
                    REQUEST_RESPONSE: _resources(assembly),
                },
            )
            _fill_stock(found)
            yield found


def _sides(cloud: LocalCloud) -> tuple[Side, Side]:
    return (
        Side(
            name=EVENT_DRIVEN,
            cloud=cloud,
            api=named(STAGE, "orders"),
            orders_table=named(STAGE, "orders"),
            prefix=named(STAGE, ""),
        ),
        Side(
            name=REQUEST_RESPONSE,
            cloud=cloud,
            api=named(STAGE, NAME),
            orders_table=named(STAGE, f"{NAME}-orders"),
            prefix=named(STAGE, f"{NAME}-"),
        ),
    )


def _synthesize(context: Mapping[str, str]) -> Path:
    settings = json.loads((ROOT / "cdk.json").read_text())["context"] | dict(context)
    cdk = {
        "CDK_OUTDIR": str(ASSEMBLY),
        "CDK_CONTEXT_JSON": json.dumps(settings),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
    }
    done = subprocess.run(
        [sys.executable, "-m", "demo.coupling.app"],
        cwd=ROOT, env=os.environ | cdk, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SynthesisFailed(f"The request-response shop does not synthesize:\n{done.stderr}")
    return ASSEMBLY


def _resources(assembly: Path) -> list[Resource]:
    """Return the resources of the services, without those of the provider's stand-in."""
    return [
        resource
        for stack, template in read(assembly).items()
        if stack in {named(STAGE, name) for name in (*SERVICES, "broker", NAME)}
        for logical_id, body in template.body["Resources"].items()
        for resource in [Resource(template, logical_id, body)]
        if not logical_id.startswith(("Sandbox", "PaymentsLedger"))
    ]


def _send_mails_through(gate: MailGate, sides: Sequence[Side]) -> None:
    for side in sides:
        lambda_ = side.cloud.client("lambda")
        for name in side.functions["notifications"]:
            configuration = lambda_.get_function_configuration(FunctionName=name)
            variables = configuration["Environment"]["Variables"] | {SETTING: gate.url}
            lambda_.update_function_configuration(
                FunctionName=name, Environment={"Variables": variables}
            )


def _fill_stock(found: Shops) -> None:
    dynamodb = found.cloud.client("dynamodb")
    table = named(STAGE, f"{NAME}-stock")
    if table in dynamodb.list_tables()["TableNames"]:
        item: dict[str, Any] = {"warehouse": {"S": "main"}, "available": {"N": str(STOCK)}}
        dynamodb.put_item(TableName=table, Item=item)
