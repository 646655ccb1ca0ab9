"""Event source mappings of queues and streams."""

import copy
from typing import Any

import pytest

from tests.patchbay.guardrails.broken import Broken

OUTBOX = "Function greenhouse-dev-sensors-outbox reads the stream of greenhouse-dev-sensors "


def test_a_mapping_without_partial_batch_responses_is_found(dev: Broken) -> None:
    del dev.mapping("alerts")["FunctionResponseTypes"]
    dev.finds(
        "partial-batch",
        "Function greenhouse-dev-alerts can't report single failures to queue "
        "greenhouse-dev-alerts: one bad event would make Lambda retry its whole batch, and in the "
        "end turn its neighbours into dead letters. Turn ReportBatchItemFailures on.",
    )


@pytest.mark.parametrize(
    ("scaling", "given"),
    [
        ({}, "no limit"),
        ({"MaximumConcurrency": 1}, "a limit of 1"),
        ({"MaximumConcurrency": 1000}, "a limit of 1000"),
    ],
)
def test_a_consumer_may_not_take_all_of_the_accounts_concurrency(
    scaling: dict[str, int], given: str, dev: Broken
) -> None:
    dev.mapping("alerts")["ScalingConfig"] = scaling
    dev.finds(
        "concurrency",
        f"Function greenhouse-dev-alerts reads queue greenhouse-dev-alerts with {given} on its "
        "concurrency: a backlog could take the account's 1000 and starve every other consumer. "
        "Set MaximumConcurrency, from 2 to 999.",
    )


@pytest.mark.parametrize("limit", [2, 999])
def test_any_limit_below_the_accounts_passes(limit: int, dev: Broken) -> None:
    dev.mapping("alerts")["ScalingConfig"] = {"MaximumConcurrency": limit}
    assert dev.found() == []


def test_a_disabled_mapping_is_found(dev: Broken) -> None:
    dev.mapping("alerts")["Enabled"] = False
    dev.finds(
        "enabled",
        "Function greenhouse-dev-alerts does not read greenhouse-dev-alerts: its event source "
        "mapping is disabled in the template, so messages would wait until they expire. Enable "
        "it; to pause a consumer, disable the mapping of the running system.",
    )


def test_a_disabled_rule_is_found(dev: Broken) -> None:
    dev.rule("alerts-greenhouse-sensors")["State"] = "DISABLED"
    dev.finds(
        "enabled",
        "Rule greenhouse-dev-alerts-greenhouse-sensors is disabled in the template: events "
        "published meanwhile would never arrive, even after it is enabled. Enable it, or remove "
        "it.",
    )


def test_two_consumers_on_one_queue_are_found(dev: Broken) -> None:
    second = copy.deepcopy(dev.mapping("alerts"))
    second["FunctionName"] = dev.the("Lambda::Function", "alerts-siren").ref
    dev.resources("alerts")["Second"] = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": second,
    }
    dev.finds(
        "isolation",
        "Queue greenhouse-dev-alerts has several consumers, greenhouse-dev-alerts and "
        "greenhouse-dev-alerts-siren: each message goes to only one of them, and each would miss "
        "what the other received. Give each its own queue and rule.",
    )


def test_two_queues_for_one_function_are_found(dev: Broken) -> None:
    second = copy.deepcopy(dev.mapping("alerts"))
    second["EventSourceArn"] = dev.the("SQS::Queue", "alerts-undelivered").arn
    dev.resources("alerts")["Second"] = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": second,
    }
    assert (
        "Function greenhouse-dev-alerts reads several queues, greenhouse-dev-alerts and "
        "greenhouse-dev-alerts-undelivered: a backlog in one would delay the other, and rejected "
        "messages could go to only one dead-letter queue. Give each queue its own function."
    ) in [finding.text for finding in dev.found() if finding.id == "isolation"]


def test_a_queue_that_nobody_reads_is_found(dev: Broken) -> None:
    resources = dev.resources("alerts")
    mapping = next(
        key
        for key, body in resources.items()
        if "EventSourceMapping" in body["Type"] and "Refund" not in key
    )
    del resources[mapping]
    dev.finds(
        "isolation",
        "Queue greenhouse-dev-alerts is filled by rule greenhouse-dev-alerts-greenhouse-sensors, "
        "and no function reads it: its events would expire unseen. Add a function that reads it, "
        "or remove the rule.",
    )


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            {"BisectBatchOnFunctionError": False},
            "without bisecting a batch that fails: one bad record would fail its neighbours too. "
            "Set BisectBatchOnFunctionError.",
        ),
        (
            {"MaximumRecordAgeInSeconds": -1},
            "and never gives up a record: one that can't be handled would block its shard until "
            "it expires, unseen. Set MaximumRecordAgeInSeconds or MaximumRetryAttempts.",
        ),
        (
            {"MaximumRecordAgeInSeconds": 86400},
            "and gives up a record after 86400 s, when it has expired in the stream (86400 s): "
            "the position in the dead letter would point to nothing. Set "
            "MaximumRecordAgeInSeconds to half of that.",
        ),
        (
            {"DestinationConfig": {}},
            "and keeps nothing of the records that it gives up: a record could be lost in "
            "silence. Set a queue as the on-failure destination.",
        ),
    ],
)
def test_a_record_of_a_stream_is_neither_lost_nor_retried_for_ever(
    change: dict[str, Any], wrong: str, dev: Broken
) -> None:
    dev.mapping("sensors-outbox").update(change)
    dev.finds("stream", OUTBOX + wrong)


def test_a_stream_without_a_limit_of_age_or_attempts_never_gives_up(dev: Broken) -> None:
    del dev.mapping("sensors-outbox")["MaximumRecordAgeInSeconds"]
    (finding,) = dev.found()
    assert finding.text.startswith(f"{OUTBOX}and never gives up a record")


def test_a_stream_may_give_up_by_attempts_instead_of_age(dev: Broken) -> None:
    mapping = dev.mapping("sensors-outbox")
    del mapping["MaximumRecordAgeInSeconds"]
    mapping["MaximumRetryAttempts"] = 100
    assert dev.found() == []
