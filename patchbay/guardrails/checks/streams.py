"""Kinesis streams: how Lambda reads them, and who is told when it falls behind.

A stream and its readers are different services' stacks, so they find each other by name.
"""

from collections.abc import Iterator

from patchbay.guardrails.checks.alarms import reaches_someone
from patchbay.guardrails.checks.mappings import neither_lost_nor_in_the_way
from patchbay.guardrails.finding import Finding, System, mapped
from patchbay.topology.template import Resource, texts

ITERATOR_AGE = "IteratorAge"


def stream_consumer(system: System) -> Iterator[Finding]:
    """A bad record is isolated, given up in time and kept where it is seen, and it alone."""
    for mapping, stream, function in _of_streams(system):
        wrong = list(neither_lost_nor_in_the_way(mapping))
        if "ReportBatchItemFailures" not in mapping.properties.get("FunctionResponseTypes", []):
            wrong.append(
                "and can't say which record failed: all that was done before it in its batch would "
                "be done again. Turn ReportBatchItemFailures on."
            )
        if mapping.properties.get("StartingPosition") != "TRIM_HORIZON":
            wrong.append(
                "from its end: what was put there before the mapping was made would never be read. "
                "Set StartingPosition to TRIM_HORIZON."
            )
        for each in wrong:
            yield Finding(mapping, f"Function {function.name} reads the stream {stream} {each}")


def stream_exists(system: System) -> Iterator[Finding]:
    """Every stream that is read is one of the system's, and every stream of it is read."""
    made = {stream.name: stream for stream in system.all("Kinesis::Stream")}
    read = set()
    for mapping, stream, function in _of_streams(system):
        read.add(stream)
        if stream not in made:
            yield Finding(
                mapping,
                f"Function {function.name} reads the stream {stream}, which no service of this "
                f"stage has: there are {', '.join(sorted(made)) or 'none'}. Call `self.stream()` "
                "in the service that it is of.",
            )
    for name in sorted(made.keys() - read):
        yield Finding(
            made[name],
            f"Stream {name} has no reader: what is put there would expire unseen, and be paid for. "
            "Add a `stream_consumer`, or remove it.",
            warning=True,
        )


def stream_alarm(system: System) -> Iterator[Finding]:
    """Who reads a stream has an alarm on how far it is behind."""
    for mapping, stream, function in _of_streams(system):
        alarms = [
            alarm
            for alarm in mapping.template.all("CloudWatch::Alarm")
            if alarm.properties.get("MetricName") == ITERATOR_AGE
            and alarm.properties.get("Dimensions")
            == [{"Name": "FunctionName", "Value": function.ref}]
        ]
        if not any(reaches_someone(alarm) for alarm in alarms):
            yield Finding(
                mapping,
                f"Function {function.name} has no alarm on its {ITERATOR_AGE} that tells someone: "
                f"it could fall behind the stream {stream} until records expire, unseen. Add one.",
            )


def _of_streams(system: System) -> Iterator[tuple[Resource, str, Resource]]:
    """Every mapping of a Kinesis stream, with the stream's name and the function."""
    for mapping in system.all("Lambda::EventSourceMapping"):
        source, function = mapped(mapping)
        name = source.name if source and source.kind == "Kinesis::Stream" else _named_in(mapping)
        if name and function:
            yield mapping, name, function


def _named_in(mapping: Resource) -> str | None:
    """The stream's name in an ARN that is put together of parts."""
    parts = list(texts(mapping.properties.get("EventSourceArn")))
    if not any(":kinesis:" in part for part in parts):
        return None
    return parts[-1].rpartition("stream/")[2]
