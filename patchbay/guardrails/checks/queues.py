"""Queues: how long they hide a message, and what becomes of one that fails for good."""

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
    """A queue's visibility timeout is long enough for Lambda to handle a message and retry."""
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
    """What a function fails at for good ends in a queue that keeps it, and keeps it longer."""
    for queue in consumed(system):
        redrive = queue.properties.get("RedrivePolicy", {})
        dead = queue.template.find(redrive.get("deadLetterTargetArn"))
        if dead is None:
            yield Finding(
                queue,
                f"Queue {queue.name} has no dead-letter queue in its stack: a message that can't "
                "be handled would come back until its time is up, and then be gone. Give it one.",
            )
            continue
        yield from _unlike(queue, dead)
        receives = int(redrive.get("maxReceiveCount", 0))
        if not MIN_RECEIVES <= receives <= MAX_RECEIVES:
            yield Finding(
                queue,
                f"Queue {queue.name} gives up on a message after {receives} receives: between "
                f"{MIN_RECEIVES} and {MAX_RECEIVES} make sense. With fewer, a function that is "
                "throttled once makes a dead letter; AWS advises 5 or more.",
            )


def dead_letters_stay(system: System) -> Iterator[Finding]:
    """Dead letters wait for an operator: nothing moves them on."""
    for dead in kept_for(system):
        if "RedrivePolicy" in dead.properties:
            yield Finding(
                dead,
                f"Queue {dead.name} holds dead letters and gives them up in its turn: an operator "
                "who looks at one a few times would move it out of sight. Take its own "
                "dead-letter queue away.",
            )


def shared_dead_letters(system: System) -> Iterator[Finding]:
    """A queue of dead letters is for one source: what came whence must be told, and put back."""
    for dead, sources in kept_for(system).items():
        if len(sources) > 1:
            yield Finding(
                dead,
                f"Queue {dead.name} holds the dead letters of {_and(sorted(sources))}: nobody "
                "could put one back where it belongs, and one consumer's flood would hide the "
                "other's. Give each its own.",
            )


def consumed(system: System) -> list[Resource]:
    """The queues that a function reads."""
    sources = [mapped(mapping)[0] for mapping in system.all("Lambda::EventSourceMapping")]
    # Each once, in order, however many read it.
    return list(dict.fromkeys(s for s in sources if s and s.kind == "SQS::Queue"))


def kept_for(system: System) -> dict[Resource, set[str]]:
    """Every dead-letter queue, and whose failures it keeps."""
    kept: defaultdict[Resource, set[str]] = defaultdict(set)

    def keep(owner: Resource, reference: object, source: str) -> None:
        dead = owner.template.find(reference)
        if dead and dead.kind == "SQS::Queue":
            kept[dead].add(source)

    for queue in system.all("SQS::Queue"):
        arn = queue.properties.get("RedrivePolicy", {}).get("deadLetterTargetArn")
        keep(queue, arn, f"queue {queue.name}")
    for rule in system.all("Events::Rule"):
        for aim in rule.properties.get("Targets", []):
            end = rule.template.find(aim["Arn"]) or rule
            # The rules of one consumer may share it: they deliver to the same queue.
            keep(rule, aim.get("DeadLetterConfig", {}).get("Arn"), f"the rules to {end.name}")
    for schedule in system.all("Scheduler::Schedule"):
        aim = schedule.properties.get("Target", {})
        keep(schedule, aim.get("DeadLetterConfig", {}).get("Arn"), _runs(schedule, aim.get("Arn")))
    for config in system.all("Lambda::EventInvokeConfig"):
        failed = config.properties.get("DestinationConfig", {}).get("OnFailure", {})
        # It is kept where what a schedule could not start is, as the same run that was missed.
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


def _unlike(queue: Resource, dead: Resource) -> Iterator[Finding]:
    fifo, dead_fifo = (bool(q.properties.get("FifoQueue")) for q in (queue, dead))
    if fifo != dead_fifo:
        kinds = {True: "a FIFO queue", False: "a standard queue"}
        yield Finding(
            queue,
            f"Queue {queue.name} is {kinds[fifo]}, and its dead-letter queue {dead.name} is "
            f"{kinds[dead_fifo]}: SQS would refuse that when it is deployed. Make both the same.",
        )
    kept, kept_dead = (
        int(q.properties.get("MessageRetentionPeriod", DEFAULT_RETENTION)) for q in (queue, dead)
    )
    if kept_dead <= kept:
        yield Finding(
            dead,
            f"Queue {dead.name} keeps dead letters for {_days(kept_dead)}, and {queue.name} keeps "
            f"messages for {_days(kept)}: a message's age counts from when it was first sent, so "
            "it could be gone before anybody looks. Keep dead letters longer: 14 days is SQS's "
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


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
