"""The fixtures of messaging's tests, with the shop's tables, and its mails.

mails()                    what was mailed
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

# Modules of functions make their clients, and read their tables' names, when they are imported.
os.environ |= {
    "BESTSELLERS_TABLE": "bestsellers",
    "LEDGER_TABLE": "ledger",
    "MAIL_FROM": "shop@example.com",
    "MAIL_TO": "{customer}@example.com",
    "ORDERS_TABLE": "orders",
    "PAYMENT_PROVIDER_URL": "http://127.0.0.1:9",
    "STREAM": "storefront",
}

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from tests.patchbay.messaging.fixtures import KEYS, REGION
from tests.patchbay.messaging.fixtures import aws as aws
from tests.patchbay.messaging.fixtures import clock as clock
from tests.patchbay.messaging.fixtures import dead_letters as dead_letters
from tests.patchbay.messaging.fixtures import deliver as deliver
from tests.patchbay.messaging.fixtures import lines as lines
from tests.patchbay.messaging.fixtures import metric as metric
from tests.patchbay.messaging.fixtures import printed as printed
from tests.patchbay.messaging.fixtures import published as published
from tests.patchbay.messaging.fixtures import queue as queue
from tests.patchbay.messaging.fixtures import queues as queues

KEYS |= {"bestsellers": "id", "ledger": "id", "orders": "order_id"}
SES = boto3.client("sesv2")


@dataclass(frozen=True)
class Mail:
    """A mail that SES took."""

    sender: str
    to: list[str]
    subject: str
    text: str


Mails = Callable[[], list[Mail]]


@pytest.fixture(autouse=True)
def sender(aws: None) -> None:
    """Have SES know who the shop's mails come from."""
    SES.create_email_identity(EmailIdentity=os.environ["MAIL_FROM"])


@pytest.fixture
def mails(aws: None) -> Mails:
    """Reads what was mailed, in its order."""

    def read() -> list[Mail]:
        sent: list[Any] = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
        return [
            Mail(each.source, each.destinations["ToAddresses"], each.subject, each.body)
            for each in sent
        ]

    return read
