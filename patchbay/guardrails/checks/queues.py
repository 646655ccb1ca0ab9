"""Checks of queues: visibility timeouts, and dead-letter queues."""

from collections import defaultdict
from collections.abc import Iterator

from patchbay.guardrails.finding import Finding, System, mapped
from patchbay.topology.template import Resource

# Defaults and bounds of SQS and Lambda, in seconds.
DEFAULT_VISIBILITY = 30
MAX_VISIBILITY = 12 * 60 * 60
DEFAULT_RETENTION = 4 * 24 * 60 * 60
DEFAULT_TIMEOUT = 3
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_FACTOR = 6

MIN_RECEIVES = 2
MAX_RECEIVES = 1000  # SQS's own limit


def visibility(system: System) -> Iterator[Finding]:
    """Find each queue whose visibility timeout is too short for Lambda to handle and retry."""
    for mapping in system.all("Lambda::EventSourceMapping"):
        queue, function = mapped(mapping)
        if not queue or queue.kind != "SQS::Queue" or not function:
            continue
        hidden = int(queue.properties.get("VisibilityTimeout", DEFAULT_VISIBILITY))
        timeout = int(function.properties.get("Timeout", DEFAULT_TIMEOUT))
        window = int(mapping.properties.get("MaximumBatchingWindowInSeconds", 0))
        needed = VISIBILITY_FACTOR * timeout + window
        if hidden < needed:
            yield Finding(
                queue,
                f"Queue {queue.name}: visibility timeout {hidden} s is below {VISIBILITY_FACTOR} "
                f"times the function's timeout ({timeout} s){_window(window)}. A message would be "
                f"delivered again while it is handled. {_remedy(needed)}",
            )


def dead_letters(system: System) -> Iterator[Finding]:
    """Find each consumed queue without a dead-letter queue that keeps messages longer."""
    for queue in consumed(system):
        redrive = queue.properties.get("RedrivePolicy", {})
        dead = queue.template.find(redrive.get("deadLetterTargetArn"))
        if dead is None:
            yield Finding(
                queue,
                f"Queue {queue.name} has no dead-letter queue in its stack: a message that can't "
                "be handled would be retried until it expires, and then be lost. Give it one.",
            )
            continue
        yield from _mismatches(queue, dead)
        receives = int(redrive.get("maxReceiveCount", 0))
        if not MIN_RECEIVES <= receives <= MAX_RECEIVES:
            yield Finding(
                queue,
                f"Queue {queue.name} has a maxReceiveCount of {receives}: it must be between "
                f"{MIN_RECEIVES} and {MAX_RECEIVES}. With 1, a function that is throttled once "
                "makes a dead letter; AWS advises 5 or more.",
            )


def dead_letters_stay(system: System) -> Iterator[Finding]:
    """Find each dead-letter queue that has a dead-letter queue itself."""
    for dead in dead_letter_queues(system):
        if "RedrivePolicy" in dead.properties:
            yield Finding(
                dead,
                f"Queue {dead.name} is a dead-letter queue and has one itself: browsing a dead "
                "letter a few times would move it on. Remove its RedrivePolicy.",
            )


def shared_dead_letters(system: System) -> Iterator[Finding]:
    """Find each dead-letter queue with several sources: its dead letters can't be redriven."""
    for dead, sources in dead_letter_queues(system).items():
        if len(sources) > 1:
            yield Finding(
                dead,
                f"Queue {dead.name} holds the dead letters of {_joined(sorted(sources))}: a dead "
                "letter could not be redriven to its source, and many from one source would hide "
                "the other's. Give each its own.",
            )


def consumed(system: System) -> list[Resource]:
    """Return the queues that a function reads."""
    sources = [mapped(mapping)[0] for mapping in system.all("Lambda::EventSourceMapping")]
    # A queue with several readers is listed once.
    return list(dict.fromkeys(s for s in sources if s and s.kind == "SQS::Queue"))


def dead_letter_queues(system: System) -> dict[Resource, set[str]]:
    """Return every dead-letter queue, with the names of its sources."""
    kept: defaultdict[Resource, set[str]] = defaultdict(set)

    def keep(owner: Resource, reference: object, source: str) -> None:
        dead = owner.template.find(reference)
        if dead and dead.kind == "SQS::Queue":
            kept[dead].add(source)

    for queue in system.all("SQS::Queue"):
        arn = queue.properties.get("RedrivePolicy", {}).get("deadLetterTargetArn")
        keep(queue, arn, f"queue {queue.name}")
    for rule in system.all("Events::Rule"):
        for target in rule.properties.get("Targets", []):
            end = rule.template.find(target["Arn"]) or rule
            # The rules of one consumer may share a dead-letter queue: they have the same target.
            keep(rule, target.get("DeadLetterConfig", {}).get("Arn"), f"the rules to {end.name}")
    for schedule in system.all("Scheduler::Schedule"):
        target = schedule.properties.get("Target", {})
        keep(
            schedule,
            target.get("DeadLetterConfig", {}).get("Arn"),
            _runs(schedule, target.get("Arn")),
        )
    for config in system.all("Lambda::EventInvokeConfig"):
        failed = config.properties.get("DestinationConfig", {}).get("OnFailure", {})
        # A schedule's function may share the schedule's queue: both hold missed runs.
        keep(config, failed.get("Destination"), _runs(config, config.properties["FunctionName"]))
    for mapping in system.all("Lambda::EventSourceMapping"):
        _, function = mapped(mapping)
        failed = mapping.properties.get("DestinationConfig", {}).get("OnFailure", {})
        keep(
            mapping,
            failed.get("Destination"),
            f"what {function.name if function else mapping.id} reads",
        )
    return dict(kept)


def _runs(owner: Resource, function: object) -> str:
    found = owner.template.find(function)
    return f"the runs of {found.name if found else owner.name}"


def _mismatches(queue: Resource, dead: Resource) -> Iterator[Finding]:
    fifo, dead_fifo = (bool(q.properties.get("FifoQueue")) for q in (queue, dead))
    if fifo != dead_fifo:
        kinds = {True: "a FIFO queue", False: "a standard queue"}
        yield Finding(
            queue,
            f"Queue {queue.name} is {kinds[fifo]}, and its dead-letter queue {dead.name} is "
            f"{kinds[dead_fifo]}: SQS would refuse that at deployment. Make both the same.",
        )
    kept, kept_dead = (
        int(q.properties.get("MessageRetentionPeriod", DEFAULT_RETENTION)) for q in (queue, dead)
    )
    if kept_dead <= kept:
        yield Finding(
            dead,
            f"Queue {dead.name} keeps dead letters for {_days(kept_dead)}, and {queue.name} keeps "
            f"messages for {_days(kept)}: a message's age counts from when it was first sent, so "
            "it could expire before anybody sees it. Keep dead letters longer: 14 days is SQS's "
            "limit.",
        )


def _window(seconds: int) -> str:
    return f" plus the batch window ({seconds} s)" if seconds else ""


def _remedy(needed: int) -> str:
    if needed > MAX_VISIBILITY:
        return f"It would take {needed} s, and SQS allows {MAX_VISIBILITY} s: shorten the work."
    return f"Set it to at least {needed} s."


def _days(seconds: int) -> str:
    days = seconds / 86_400
    return f"{days:g} day" + "s" * (days != 1)


def _joined(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
