"""A consumer's deliveries are paused and resumed, and no other consumer's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from demo.purchases import Purchase
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop
from patchbay.cli.__main__ import main
from patchbay.errors import UserError
from patchbay.operations import pause as pauses
from patchbay.operations.clients import Clients
from patchbay.operations.pause import pause, paused_queues, polled_consumers, resume
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import named
from patchbay.topology.consumers import Consumer
from tests.shop import Shop as DeployedInKit

SECONDS = 60
CHANGING = {"Disabling": "Disabled", "Enabling": "Enabled"}


class Lambda:
    """A client of Lambda and SQS, with the event source mappings of two queues."""

    def __init__(self) -> None:
        self.mappings = [
            {"UUID": name, "EventSourceArn": f"arn:aws:sqs:r:1:{name}", "State": "Enabled"}
            for name in ("payments", "payments-refund")
        ]

    polls_while_changing = 0

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceInUseException(Exception):
            pass

    def client(self, service: str, /) -> Any:
        assert service in ("lambda", "sqs")
        return self

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        counts = dict.fromkeys(request["AttributeNames"], "0")
        known = {"MessageRetentionPeriod": "345600", "ApproximateNumberOfMessages": "7"}
        return {"Attributes": counts | known}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_event_source_mappings"
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        for mapping in self.mappings:
            seen = dict(mapping)
            if mapping["State"] in CHANGING:  # the change is done at the next poll
                self.polls_while_changing += 1
                mapping["State"] = CHANGING[mapping["State"]]
            yield {"EventSourceMappings": [seen]}

    def update_event_source_mapping(self, **request: Any) -> None:
        (mapping,) = (each for each in self.mappings if each["UUID"] == request["UUID"])
        mapping["State"] = "Enabling" if request["Enabled"] else "Disabling"


@pytest.fixture
def lambda_(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    def deployed(clients: Clients, bus: str) -> list[Consumer]:
        return [
            Consumer(name, f"https://sqs/1/{name}", "", "", None, ())
            for name in ("payments", "payments-refund", "journal")
        ]

    monkeypatch.setattr(pauses, "deployed_consumers", deployed)
    return Lambda()


def test_a_pause_stops_the_deliveries_of_that_consumer_only(lambda_: Lambda) -> None:
    assert pause(lambda_, "dev", "payments")
    assert paused_queues(lambda_) == {"payments"}


def test_a_paused_consumer_can_be_resumed(lambda_: Lambda) -> None:
    pause(lambda_, "dev", "payments")
    assert resume(lambda_, "dev", "payments")
    assert paused_queues(lambda_) == set()


def test_a_consumer_that_is_already_paused_or_running_is_not_changed(lambda_: Lambda) -> None:
    assert not resume(lambda_, "dev", "payments")
    pause(lambda_, "dev", "payments")
    assert not pause(lambda_, "dev", "payments")


def test_for_an_unknown_consumer_the_nearest_name_is_suggested(lambda_: Lambda) -> None:
    with pytest.raises(UserError, match="Did you mean 'payments'"):
        pause(lambda_, "dev", "payment")


def test_a_consumer_without_an_event_source_mapping_is_an_error(lambda_: Lambda) -> None:
    with pytest.raises(UserError, match="Nothing polls the queue of 'journal'"):
        pause(lambda_, "dev", "journal")


@pytest.fixture
def command(lambda_: Lambda, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """A Lambda that the commands use."""
    monkeypatch.setattr("patchbay.cli.operate.pause.Environment", lambda: lambda_)
    monkeypatch.setattr("patchbay.operations.pause.SECONDS_BETWEEN_POLLS", 0)
    return lambda_


def test_the_command_waits_until_lambda_has_done_it(
    command: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pause", "payments"]) == 0
    assert command.polls_while_changing > 0
    assert capsys.readouterr().out == (
        "payments is paused. New messages wait in payments, which holds 7 messages and keeps each "
        "for 4 days.\nTo resume it: `patchbay resume payments`.\n"
    )
    assert main(["pause", "payments"]) == 0
    assert capsys.readouterr().out == "payments is paused already.\n"
    assert main(["resume", "payments", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "Enabled"


def test_it_waits_no_longer_than_its_deadline(
    command: Lambda, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("patchbay.operations.pause.SECONDS_TO_SETTLE", 0)
    assert main(["pause", "payments"]) == 1
    assert "the mapping of payments is still Disabling" in capsys.readouterr().err


def test_a_dry_run_pauses_no_consumer(command: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause", "payments", "--dry-run"]) == 0
    assert "Would stop the deliveries to payments" in capsys.readouterr().out
    assert paused_queues(command) == set()


def test_on_prod_it_prints_what_it_would_do_and_needs_yes(
    command: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pause", "payments", "--stage", "prod"]) == 1
    error = capsys.readouterr().err
    assert "keeps each for 4 days; then it is lost. To do it, add --yes." in error
    assert paused_queues(command) == set()
    assert main(["pause", "payments", "--stage", "prod", "--yes"]) == 0
    assert paused_queues(command) == {"payments"}


def test_the_shell_completes_consumers_and_no_relays(cloud: DeployedInKit) -> None:
    names = polled_consumers(cloud, "dev")
    assert {"payments", "payments-refund", "accounts-statement"} <= set(names)
    assert not [name for name in names if "relay" in name]


@pytest.mark.embedded
def test_events_that_arrive_during_a_pause_are_handled_after_it(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase]
) -> None:
    pause(running.cloud, STAGE, "orders-status")
    try:
        assert named(STAGE, "orders-status") in paused_queues(running.cloud)
        order = shop.place(next(purchases))
        url = running.cloud.client("sqs").get_queue_url(QueueName=named(STAGE, "orders-status"))
        sqs, depth = running.cloud.client("sqs"), "ApproximateNumberOfMessages"

        def waits() -> bool:
            answer = sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=[depth])
            return int(answer["Attributes"][depth]) >= 2

        wait_until(waits, "the order's events to wait for orders-status", SECONDS)
        assert shop.statuses()[order] == "placed"
    finally:
        resume(running.cloud, STAGE, "orders-status")
    wait_until(lambda: shop.statuses()[order] == "shipped", "the order to be shipped", SECONDS)
