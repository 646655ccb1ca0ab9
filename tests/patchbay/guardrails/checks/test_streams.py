"""Kinesis streams: their event source mappings and their readers' alarms."""

from typing import Any

import pytest

from contracts.charts import HottestBedChanged
from tests.patchbay.greenhouse import templates
from tests.patchbay.guardrails.broken import STAGE, Broken, accepted_by

SERVICES = ("broker", "climate", "charts")
READS = "Function greenhouse-dev-charts reads the stream greenhouse-dev-climate "


@pytest.fixture
def dev() -> Broken:
    """The templates of the stream's services."""
    return Broken(templates(STAGE), accepted_by(*SERVICES), SERVICES, [HottestBedChanged])


def errors(dev: Broken) -> list[tuple[str, str]]:
    return [(finding.id, finding.text) for finding in dev.found() if not finding.warning]


def test_the_samples_stream_has_no_findings(dev: Broken) -> None:
    assert errors(dev) == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            {"BisectBatchOnFunctionError": False},
            "without bisecting a batch that fails: one bad record would fail its neighbours too. "
            "Set BisectBatchOnFunctionError.",
        ),
        (
            {"MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1},
            "and never gives up a record: one that can't be handled would block its shard until "
            "it expires, unseen. Set MaximumRecordAgeInSeconds or MaximumRetryAttempts.",
        ),
        (
            {"FunctionResponseTypes": []},
            "and can't report which record failed: the records before it in its batch would be "
            "handled again. Turn ReportBatchItemFailures on.",
        ),
        (
            {"StartingPosition": "LATEST"},
            "from LATEST: records put before the mapping was created would never be read. Set "
            "StartingPosition to TRIM_HORIZON.",
        ),
    ],
)
def test_a_record_of_a_stream_is_neither_lost_nor_retried_for_ever(
    change: dict[str, Any], wrong: str, dev: Broken
) -> None:
    dev.mapping("charts").update(change)
    assert errors(dev) == [("stream-consumer", READS + wrong)]


def test_a_mapping_without_an_on_failure_destination_is_found(dev: Broken) -> None:
    dev.mapping("charts")["DestinationConfig"] = {}
    assert (
        "stream-consumer",
        READS + "and keeps nothing of the records that it gives up: a record could be lost in "
        "silence. Set a queue as the on-failure destination.",
    ) in errors(dev)


def test_a_reader_of_a_missing_stream_is_found(dev: Broken) -> None:
    dev.remove("Kinesis::Stream", "climate")
    assert errors(dev) == [
        (
            "stream-exists",
            f"{READS.rstrip()}, which no service of this stage has. Streams: none. Call "
            "`self.stream()` in the service that owns it.",
        )
    ]


def test_a_stream_without_a_reader_is_a_warning(dev: Broken) -> None:
    mapping = dev.mapping("charts")
    mapping["EventSourceArn"] = {"Fn::Sub": "arn:aws:sqs:us-east-1:123456789012:elsewhere"}
    (warning,) = [each for each in dev.found() if each.id == "stream-exists"]
    assert warning.warning
    assert warning.text.startswith("Stream greenhouse-dev-climate has no reader: ")


@pytest.mark.parametrize("change", [{"MetricName": "Errors"}, {"ActionsEnabled": False}])
def test_a_reader_without_an_alarm_on_its_delay_is_found(
    change: dict[str, Any], dev: Broken
) -> None:
    dev.alarm("charts-iterator-age").update(change)
    assert errors(dev) == [
        (
            "stream-alarm",
            "Function greenhouse-dev-charts has no alarm on its IteratorAge that notifies "
            "somebody: it could fall behind the stream greenhouse-dev-climate until records "
            "expire, unseen. Add one.",
        )
    ]
