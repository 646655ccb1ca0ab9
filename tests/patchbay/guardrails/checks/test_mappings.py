"""How Lambda reads queues and streams."""

import copy
from typing import Any

import pytest

from tests.patchbay.guardrails.broken import Broken

OUTBOX = "Function greenhouse-dev-sensors-outbox reads the stream of greenhouse-dev-sensors "


def test_one_bad_event_must_not_bring_back_its_batch(dev: Broken) -> None:
    del dev.mapping("alerts")["FunctionResponseTypes"]
    dev.finds(
        "partial-batch",
        "Function greenhouse-dev-alerts can't report single failures to queue "
        "greenhouse-dev-alerts: one bad event would bring back its whole batch, and in the end "
        "make dead letters of its neighbours. Turn ReportBatchItemFailures on.",
    )


@pytest.mark.parametrize(
    ("scaling", "given"),
    [
        ({}, "no limit"),
        ({"MaximumConcurrency": 1}, "a limit of 1"),
        ({"MaximumConcurrency": 1000}, "a limit of 1000"),
    ],
)
def test_a_consumer_may_not_take_all_of_the_diary_concurrency(
    scaling: dict[str, int], given: str, dev: Broken
) -> None:
    dev.mapping("alerts")["ScalingConfig"] = scaling
    dev.finds(
        "concurrency",
        f"Function greenhouse-dev-alerts reads queue greenhouse-dev-alerts with {given} of "
        "concurrency: a backlog could take the account's 1000 and starve every other consumer. "
        "Set MaximumConcurrency, from 2 to 999.",
    )


@pytest.mark.parametrize("limit", [2, 999])
def test_any_limit_below_the_accounts_will_do(limit: int, dev: Broken) -> None:
    dev.mapping("alerts")["ScalingConfig"] = {"MaximumConcurrency": limit}
    assert dev.found() == []


def test_a_mapping_that_is_switched_off_is_found(dev: Broken) -> None:
    dev.mapping("alerts")["Enabled"] = False
    dev.finds(
        "enabled",
        "Function greenhouse-dev-alerts does not read greenhouse-dev-alerts: its mapping is "
        "switched off in the template, so messages would wait until they expire. Switch it on; to "
        "pause a consumer, disable the mapping where it runs.",
    )


def test_a_rule_that_is_switched_off_is_found(dev: Broken) -> None:
    dev.rule("alerts-greenhouse-sensors")["State"] = "DISABLED"
    dev.finds(
        "enabled",
        "Rule greenhouse-dev-alerts-greenhouse-sensors is switched off in the template: what is "
        "published meanwhile would never arrive, even once it is switched on. Switch it on, "
        "or remove it.",
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
        "Queue greenhouse-dev-alerts has two consumers on one queue, greenhouse-dev-alerts and "
        "greenhouse-dev-alerts-siren: each message goes to one of them only, and each would miss "
        "what the other got. Give each its own queue and rule.",
    )


def test_two_queues_for_one_function_are_found(dev: Broken) -> None:
    second = copy.deepcopy(dev.mapping("alerts"))
    second["EventSourceArn"] = dev.the("SQS::Queue", "alerts-undelivered").arn
    dev.resources("alerts")["Second"] = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": second,
    }
    assert (
        "Function greenhouse-dev-alerts reads two queues, greenhouse-dev-alerts and "
        "greenhouse-dev-alerts-undelivered: a backlog in one would hold up the other, and what it "
        "rejects could go to one dead-letter queue only. Give each queue its own function."
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
        "and no "
        "function reads it: its events would expire unseen. Feed it to a function, or remove the "
        "rule.",
    )


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            {"BisectBatchOnFunctionError": False},
            "without halving a batch that fails: one bad record would take its neighbours with "
            "it. Set BisectBatchOnFunctionError.",
        ),
        (
            {"MaximumRecordAgeInSeconds": -1},
            "and never gives a record up: one that can't be handled would block its shard until "
            "the stream forgets it, unseen. Set MaximumRecordAgeInSeconds or MaximumRetryAttempts.",
        ),
        (
            {"MaximumRecordAgeInSeconds": 86400},
            "and gives a record up after 86400 s, when the stream has forgotten it (86400 s): its "
            "position would lead nowhere. Set MaximumRecordAgeInSeconds to half of that.",
        ),
        (
            {"DestinationConfig": {}},
            "and leaves no trace of what it gives up: a record could be lost in silence. Name a "
            "queue as the destination on failure.",
        ),
    ],
)
def test_a_record_of_a_stream_is_neither_lost_in_silence_nor_in_the_way(
    change: dict[str, Any], wrong: str, dev: Broken
) -> None:
    dev.mapping("sensors-outbox").update(change)
    dev.finds("stream", OUTBOX + wrong)


def test_a_stream_that_says_nothing_of_giving_up_never_does(dev: Broken) -> None:
    del dev.mapping("sensors-outbox")["MaximumRecordAgeInSeconds"]
    (finding,) = dev.found()
    assert finding.text.startswith(f"{OUTBOX}and never gives a record up")


def test_a_stream_may_give_up_by_attempts_instead_of_age(dev: Broken) -> None:
    mapping = dev.mapping("sensors-outbox")
    del mapping["MaximumRecordAgeInSeconds"]
    mapping["MaximumRetryAttempts"] = 100
    assert dev.found() == []
