"""A client of the deployed record shop, of its payment provider and of its tables."""

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
    """A client that uses the shop's HTTP APIs and AWS's APIs."""

    def __init__(self, cloud: LocalCloud, provider_url: str) -> None:
        self._cloud = cloud
        self._provider_url = provider_url
        # Created once: that takes longer than most requests.
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
        """Return the address of the API for orders."""
        return self.url_of("orders")

    def url_of(self, service: str) -> str:
        """Return the address of a service's API. The embedded cloud serves all of them."""
        name = named(STAGE, service)
        apis = self._cloud.client("apigatewayv2").get_apis()["Items"]
        ids = [api["ApiId"] for api in apis if api["Name"] == name]
        if len(ids) != 1:
            raise UserError(f"There are {len(ids)} APIs called {name}; the shop has one.")
        return f"{self._cloud.endpoint}/_aws/execute-api/{ids[0]}/$default"

    def place(self, purchase: Purchase) -> str:
        """Place an order for a purchase, and return its id; raises OrderRefused.

        A request without a response is retried with the same Idempotency-Key.
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

    def post_interactions(self, interactions: list[dict[str, Any]]) -> tuple[int, Any]:
        """Post views and purchases to the storefront; return the status and the response."""
        answer = self._http.request("POST", f"{self._storefront_url}/views", json=interactions)
        return answer.status, answer.json()

    @cached_property
    def _storefront_url(self) -> str:
        return self.url_of("storefront")

    def counters(self) -> dict[str, tuple[int, int]]:
        """Return the views and purchases of each record, as the bestsellers counted them."""
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
        """Return the parcel of each order, by the order's id."""
        return {
            parcel["order_id"]["S"]: Parcel(int(parcel["items"]["N"]), parcel["state"]["S"])
            for parcel in self.items(named(STAGE, "fulfilment-parcels"))
        }

    def journalled(self) -> set[str]:
        """Return the ids of the events in the journal."""
        return {item["event_id"]["S"] for item in self.items(named(STAGE, "journal"))}

    def booked(self) -> set[tuple[str, str]]:
        """Return the lines of the accounts: pairs of an order's id and the line's kind."""
        lines = self.items(named(STAGE, "accounts-lines"))
        return {(line["order_id"]["S"], line["kind"]["S"]) for line in lines}

    def taken_from_stock(self) -> int:
        """Return the number of records that have left the warehouses' stock."""
        warehouses = self.items(named(STAGE, "fulfilment-stock"))
        return sum(int(each["holds"]["N"]) - int(each["on_hand"]["N"]) for each in warehouses)

    def items(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield every item of a table."""
        pages = self._dynamodb.get_paginator("scan")
        for page in pages.paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]

    def handled_by(self, consumer: Consumer, event_ids: Iterable[str]) -> set[str]:
        """Return the ids of those events that the consumer's idempotency table has as handled.

        A naturally idempotent consumer has no such table: the result is empty.
        """
        if consumer.idempotency_table is None:
            return set()
        completed = {
            item["id"]["S"]
            for item in self.items(consumer.idempotency_table)
            if item["status"]["S"] == "COMPLETED"
        }
        return {each for each in event_ids if consumer.idempotency_key(each) in completed}

    def dead_letters_of(self, consumer: Consumer) -> set[str]:
        """Return the event ids of the consumer's dead letters, which stay in their queue."""
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
        """Make the payment provider decline charges above a limit."""
        self._set_behaviour({"mode": "ok", "decline_above": str(limit)})

    def decline_nothing(self) -> None:
        """Make the payment provider accept all charges."""
        self._set_behaviour({"mode": "ok"})

    def take_payments_down(self) -> None:
        """Make the payment provider answer all requests with an error."""
        self._set_behaviour({"mode": "down"})

    def slow_payments_down(self) -> None:
        """Make the payment provider answer slowly."""
        self._set_behaviour({"mode": "slow"})

    def provider_behaviour(self) -> dict[str, Any]:
        """Return the payment provider's settings."""
        behaviour: dict[str, Any] = self._http.request(
            "GET", f"{self._provider_url}/behaviour"
        ).json()
        return behaviour

    def _set_behaviour(self, behaviour: dict[str, Any]) -> None:
        self._http.request("PUT", f"{self._provider_url}/behaviour", json=behaviour)

    def mails(self) -> Counter[tuple[str, str]]:
        """Return the number of mails, by subject and order id."""
        answer = self._http.request("GET", f"{self._cloud.endpoint}/_ministack/ses/messages")
        accounts = answer.json()["messages"].values()
        return Counter(_subject_and_order(mail) for mails in accounts for mail in mails)

    def verify_sender(self) -> None:
        """Make SES verify the shop's sender, so that it sends the shop's mails."""
        self._ses.create_email_identity(EmailIdentity=MAIL_FROM)

    def remove_sender(self) -> None:
        """Remove the sender from SES, so that it refuses the shop's mails."""
        self._ses.delete_email_identity(EmailIdentity=MAIL_FROM)

    def can_send_mail(self) -> bool:
        """Return whether SES has the shop's sender."""
        try:
            self._ses.get_email_identity(EmailIdentity=MAIL_FROM)
        except self._ses.exceptions.NotFoundException:
            return False
        return True

    def publish_malformed_event(self) -> None:
        """Publish an order that breaks its contract."""
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
