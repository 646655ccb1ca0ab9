"""The deployed record shop, as its customers, its third parties and its operators reach it."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property
from http import HTTPStatus
from typing import Any

import urllib3

from demo.audit import Parcel
from demo.purchases import Purchase
from demo.settings import MAIL_FROM, STAGE
from patchbay.errors import UserError
from patchbay.local.cloud import LocalCloud
from patchbay.project.naming import bus_name, named
from patchbay.topology.consumers import Consumer

REQUEST_SECONDS = 30
CONNECTIONS = 16

_ORDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class OrderRefused(UserError):
    """The shop did not accept an order."""


class Shop:
    """Talks to the shop over HTTP, and to AWS's APIs beside it."""

    def __init__(self, cloud: LocalCloud, provider_url: str) -> None:
        self._cloud = cloud
        self._provider_url = provider_url
        # Once each: to make a client takes longer than most of what it is asked for.
        self._dynamodb = cloud.client("dynamodb")
        self._sqs = cloud.client("sqs")
        self._ses = cloud.client("sesv2")
        self._http = urllib3.PoolManager(
            num_pools=4,
            maxsize=CONNECTIONS,
            block=True,
            ca_certs=str(cloud.ca_path),
            timeout=REQUEST_SECONDS,
            retries=urllib3.Retry(3, allowed_methods=None, backoff_factor=0.2, status_forcelist=[]),
        )

    @cached_property
    def url(self) -> str:
        """Where the shop's API answers: the embedded cloud serves all APIs at its own address."""
        return self.url_of("orders")

    def url_of(self, service: str) -> str:
        """Return where a service's API answers."""
        name = named(STAGE, service)
        apis = self._cloud.client("apigatewayv2").get_apis()["Items"]
        ids = [api["ApiId"] for api in apis if api["Name"] == name]
        if len(ids) != 1:
            raise UserError(f"There are {len(ids)} APIs called {name}; the shop has one.")
        return f"{self._cloud.endpoint}/_aws/execute-api/{ids[0]}/$default"

    def place(self, purchase: Purchase) -> str:
        """Order what was purchased, and return the order's id; raises OrderRefused.

        A request that got no answer is sent again, under the same Idempotency-Key.
        """
        answer = self._http.request(
            "POST",
            f"{self.url}/orders",
            json={
                "customer_id": purchase.customer_id,
                "items": purchase.items,
                "amount": float(purchase.amount),
            },
            headers={"Idempotency-Key": f"purchase-{purchase.number}"},
        )
        if answer.status != HTTPStatus.CREATED:
            raise OrderRefused(
                f"The shop answered {answer.status} to purchase {purchase.number}: "
                f"{answer.data.decode(errors='replace')[:500]}"
            )
        return str(answer.json()["order_id"])

    def look_at(self, interactions: list[dict[str, Any]]) -> tuple[int, Any]:
        """Post to the storefront what was looked at and bought; return its status and answer."""
        answer = self._http.request("POST", f"{self._storefront_url}/views", json=interactions)
        return answer.status, answer.json()

    @cached_property
    def _storefront_url(self) -> str:
        return self.url_of("storefront")

    def counters(self) -> dict[str, tuple[int, int]]:
        """Return how often each record was looked at and bought, as the bestsellers counted it."""
        return {
            item["record_id"]["S"]: (int(item["views"]["N"]), int(item["purchases"]["N"]))
            for item in self.items(named(STAGE, "bestsellers"))
            if "record_id" in item
        }

    def statuses(self) -> dict[str, str]:
        """Return the status of every order in the table, by its id."""
        orders = self.items(named(STAGE, "orders"))
        return {order["order_id"]["S"]: order["status"]["S"] for order in orders}

    def parcels(self) -> dict[str, Parcel]:
        """Return what is set aside for each order, by its id."""
        return {
            parcel["order_id"]["S"]: Parcel(int(parcel["items"]["N"]), parcel["state"]["S"])
            for parcel in self.items(named(STAGE, "fulfilment-parcels"))
        }

    def journalled(self) -> set[str]:
        """Return the ids of the events of which the journal has a copy."""
        return {item["event_id"]["S"] for item in self.items(named(STAGE, "journal"))}

    def booked(self) -> set[tuple[str, str]]:
        """Return what the accounts have booked: the orders, each with the kind of its line."""
        lines = self.items(named(STAGE, "accounts-lines"))
        return {(line["order_id"]["S"], line["kind"]["S"]) for line in lines}

    def taken_from_stock(self) -> int:
        """Return how many records the warehouses have less than when they were full."""
        warehouses = self.items(named(STAGE, "fulfilment-stock"))
        return sum(int(each["holds"]["N"]) - int(each["on_hand"]["N"]) for each in warehouses)

    def items(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield every item of a table."""
        pages = self._dynamodb.get_paginator("scan")
        for page in pages.paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]

    def handled_by(self, consumer: Consumer, event_ids: Iterable[str]) -> set[str]:
        """Return which of these events the consumer's table has as handled.

        Who is naturally idempotent has none, and what it has done is seen by its effects.
        """
        if consumer.idempotency_table is None:
            return set()
        remembered = {
            item["id"]["S"]
            for item in self.items(consumer.idempotency_table)
            if item["status"]["S"] == "COMPLETED"
        }
        return {each for each in event_ids if consumer.idempotency_key(each) in remembered}

    def dead_letters_of(self, consumer: Consumer) -> set[str]:
        """Return the ids of the consumer's dead letters that have one; all stay in the queue."""
        found: set[str] = set()
        while messages := self._sqs.receive_message(
            QueueUrl=consumer.dead_letters_url, MaxNumberOfMessages=10, VisibilityTimeout=60
        ).get("Messages"):
            details = [json.loads(message["Body"]).get("detail", {}) for message in messages]
            found |= {str(detail.get("metadata", {}).get("id")) for detail in details}
        return found

    def ledger(self) -> list[dict[str, Any]]:
        """Return every charge and refund of the payment provider."""
        entries: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self._http.request("GET", f"{self._provider_url}/ledger?after={after}").json()
            entries += page["entries"]
            after = page["after"]
            if not after:
                return entries

    def decline_above(self, limit: Decimal) -> None:
        """Have the payment provider decline what is more than that."""
        self._behave({"mode": "ok", "decline_above": str(limit)})

    def decline_nothing(self) -> None:
        """Have the payment provider take whatever it is asked for."""
        self._behave({"mode": "ok"})

    def take_payments_down(self) -> None:
        """Have the payment provider answer everything with an error."""
        self._behave({"mode": "down"})

    def slow_payments_down(self) -> None:
        """Have the payment provider take seconds for each answer."""
        self._behave({"mode": "slow"})

    def provider_behaviour(self) -> dict[str, Any]:
        """Return how the payment provider behaves."""
        behaviour: dict[str, Any] = self._http.request(
            "GET", f"{self._provider_url}/behaviour"
        ).json()
        return behaviour

    def _behave(self, behaviour: dict[str, Any]) -> None:
        self._http.request("PUT", f"{self._provider_url}/behaviour", json=behaviour)

    def mails(self) -> Counter[tuple[str, str]]:
        """Return how often each mail was sent, by its subject and the order that it names."""
        answer = self._http.request("GET", f"{self._cloud.endpoint}/_ministack/ses/messages")
        accounts = answer.json()["messages"].values()
        return Counter(_subject_and_order(mail) for mails in accounts for mail in mails)

    def let_mails_out(self) -> None:
        """Have SES verify the shop's sender, without which it refuses to send."""
        self._ses.create_email_identity(EmailIdentity=MAIL_FROM)

    def hold_mails_back(self) -> None:
        """Take the sender's verification away."""
        self._ses.delete_email_identity(EmailIdentity=MAIL_FROM)

    def mails_go_out(self) -> bool:
        """Return whether SES knows the shop's sender."""
        try:
            self._ses.get_email_identity(EmailIdentity=MAIL_FROM)
        except self._ses.exceptions.NotFoundException:
            return False
        return True

    def put_malformed_event(self) -> None:
        """Put an order on the bus that breaks its contract."""
        detail = {"metadata": {"id": "not-a-uuid"}, "data": {"items": "many"}}
        self._cloud.client("events").put_events(
            Entries=[
                {
                    "EventBusName": bus_name(STAGE),
                    "Source": "shop.orders",
                    "DetailType": "OrderPlaced",
                    "Detail": json.dumps(detail),
                }
            ]
        )


def _subject_and_order(mail: dict[str, Any]) -> tuple[str, str]:
    order = _ORDER.search(mail["BodyText"])
    return mail["Subject"], order[0] if order else ""
