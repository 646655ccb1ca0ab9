"""How Lambda reads Kinesis streams."""

from typing import Any

import pytest

from contracts.charts import HottestBedChanged
from tests.patchbay.greenhouse import templates
from tests.patchbay.guardrails.broken import STAGE, Broken, accepted_by

SERVICES = ("broker", "climate", "charts")
READS = "Function greenhouse-dev-charts reads the stream greenhouse-dev-climate "


@pytest.fixture
def dev() -> Broken:
    """The services of the stream."""
    return Broken(templates(STAGE), accepted_by(*SERVICES), SERVICES, [HottestBedChanged])


def errors(dev: Broken) -> list[tuple[str, str]]:
    return [(finding.id, finding.text) for finding in dev.found() if not finding.warning]


def test_the_stream_as_it_is_has_no_findings(dev: Broken) -> None:
    assert errors(dev) == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            {"BisectBatchOnFunctionError": False},
            "without halving a batch that fails: one bad record would take its neighbours with "
            "it. Set BisectBatchOnFunctionError.",
        ),
        (
            {"MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1},
            "and never gives a record up: one that can't be handled would block its shard until "
            "the stream forgets it, unseen. Set MaximumRecordAgeInSeconds or MaximumRetryAttempts.",
        ),
        (
            {"FunctionResponseTypes": []},
            "and can't say which record failed: all that was done before it in its batch would be "
            "done again. Turn ReportBatchItemFailures on.",
        ),
        (
            {"StartingPosition": "LATEST"},
            "from its end: what was put there before the mapping was made would never be read. "
            "Set StartingPosition to TRIM_HORIZON.",
        ),
    ],
)
def test_a_record_of_a_stream_is_neither_lost_nor_in_the_way(
    change: dict[str, Any], wrong: str, dev: Broken
) -> None:
    dev.mapping("charts").update(change)
    assert errors(dev) == [("stream-consumer", READS + wrong)]


def test_what_is_given_up_must_leave_a_trace(dev: Broken) -> None:
    dev.mapping("charts")["DestinationConfig"] = {}
    assert (
        "stream-consumer",
        READS + "and leaves no trace of what it gives up: a record could be lost in silence. Name "
        "a queue as the destination on failure.",
    ) in errors(dev)


def test_a_stream_that_is_read_must_be_there(dev: Broken) -> None:
    dev.remove("Kinesis::Stream", "climate")
    assert errors(dev) == [
        (
            "stream-exists",
            f"{READS.rstrip()}, which no service of this stage has: there are none. Call "
            "`self.stream()` in the service that it is of.",
        )
    ]


def test_a_stream_that_nobody_reads_is_worth_knowing(dev: Broken) -> None:
    mapping = dev.mapping("charts")
    mapping["EventSourceArn"] = {"Fn::Sub": "arn:aws:sqs:us-east-1:123456789012:elsewhere"}
    (warning,) = [each for each in dev.found() if each.id == "stream-exists"]
    assert warning.warning
    assert warning.text.startswith("Stream greenhouse-dev-climate has no reader: ")


@pytest.mark.parametrize("change", [{"MetricName": "Errors"}, {"ActionsEnabled": False}])
def test_who_reads_a_stream_has_an_alarm_on_being_behind(
    change: dict[str, Any], dev: Broken
) -> None:
    dev.alarm("charts-iterator-age").update(change)
    assert errors(dev) == [
        (
            "stream-alarm",
            "Function greenhouse-dev-charts has no alarm on its IteratorAge that tells someone: "
            "it could fall behind the stream greenhouse-dev-climate until records expire, unseen. "
            "Add one.",
        )
    ]
