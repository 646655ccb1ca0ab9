"""Checks of Kinesis streams: their event source mappings, and alarms on their readers' delay.

A stream and its readers are in stacks of different services, so a mapping has the stream's name.
"""

from collections.abc import Iterator

from patchbay.guardrails.checks.alarms import notifies
from patchbay.guardrails.checks.mappings import stream_mapping_problems
from patchbay.guardrails.finding import Finding, System, mapped
from patchbay.topology.template import Resource, texts

ITERATOR_AGE = "IteratorAge"


def stream_consumer(system: System) -> Iterator[Finding]:
    """Find each mapping of a Kinesis stream that could lose a record, or block on a bad one."""
    for mapping, stream, function in _of_streams(system):
        problems = list(stream_mapping_problems(mapping))
        if "ReportBatchItemFailures" not in mapping.properties.get("FunctionResponseTypes", []):
            problems.append(
                "and can't report which record failed: the records before it in its batch would be "
                "handled again. Turn ReportBatchItemFailures on."
            )
        if mapping.properties.get("StartingPosition") != "TRIM_HORIZON":
            problems.append(
                "from LATEST: records put before the mapping was created would never be read. Set "
                "StartingPosition to TRIM_HORIZON."
            )
        for problem in problems:
            yield Finding(mapping, f"Function {function.name} reads the stream {stream} {problem}")


def stream_exists(system: System) -> Iterator[Finding]:
    """Find each reader of a stream that does not exist, and each stream without a reader."""
    made = {stream.name: stream for stream in system.all("Kinesis::Stream")}
    read = set()
    for mapping, stream, function in _of_streams(system):
        read.add(stream)
        if stream not in made:
            yield Finding(
                mapping,
                f"Function {function.name} reads the stream {stream}, which no service of this "
                f"stage has. Streams: {', '.join(sorted(made)) or 'none'}. Call `self.stream()` "
                "in the service that owns it.",
            )
    for name in sorted(made.keys() - read):
        yield Finding(
            made[name],
            f"Stream {name} has no reader: its records would expire unread, at your cost. Add a "
            "`stream_consumer`, or remove it.",
            warning=True,
        )


def stream_alarm(system: System) -> Iterator[Finding]:
    """Find each reader of a stream without an alarm on its delay."""
    for mapping, stream, function in _of_streams(system):
        alarms = [
            alarm
            for alarm in mapping.template.all("CloudWatch::Alarm")
            if alarm.properties.get("MetricName") == ITERATOR_AGE
            and alarm.properties.get("Dimensions")
            == [{"Name": "FunctionName", "Value": function.ref}]
        ]
        if not any(notifies(alarm) for alarm in alarms):
            yield Finding(
                mapping,
                f"Function {function.name} has no alarm on its {ITERATOR_AGE} that notifies "
                f"somebody: it could fall behind the stream {stream} until records expire, "
                "unseen. Add one.",
            )


def _of_streams(system: System) -> Iterator[tuple[Resource, str, Resource]]:
    """Yield every mapping of a Kinesis stream, with the stream's name and the function."""
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        name = source.name if source and source.kind == "Kinesis::Stream" else _named_in(mapping)
        if name and function:
            yield mapping, name, function


def _named_in(mapping: Resource) -> str | None:
    """Return the stream's name from an ARN that is joined from parts."""
    parts = list(texts(mapping.properties.get("EventSourceArn")))
    if not any(":kinesis:" in part for part in parts):
        return None
    return parts[-1].rpartition("stream/")[2]
