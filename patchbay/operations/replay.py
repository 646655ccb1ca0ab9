"""Replay of events in the bus's archive, to one consumer or to all."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from patchbay.errors import UserError
from patchbay.messaging.idempotency import REMEMBERED_FOR
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import consumer_named, deployed_consumers
from patchbay.operations.stages import not_deployed
from patchbay.project.naming import REPLAY_NAME, bus_name, replay_name
from patchbay.topology.consumers import Consumer
from patchbay.topology.rules import Rule

SECONDS_BETWEEN_POLLS = 1.0
ENDED = {"COMPLETED", "CANCELLED", "FAILED"}


@dataclass(frozen=True)
class Replay:
    """A replay that has ended."""

    name: str
    state: str
    reason: str | None
    reached: datetime | None
    """The time of the last event that was replayed."""


def replay(
    clients: Clients,
    stage: str,
    *,
    since: datetime,
    until: datetime,
    to: str | None,
    again: bool = False,
    on_progress: Callable[[str], None],
) -> Replay:
    """Replay the events that were published in a period, and wait until the replay has ended.

    `to` is the only consumer that gets them; None is for all. `again` allows events that are older
    than the ids which consumers keep, and so would be handled twice. `on_progress` is called with
    the replay's state. Raises UserError.
    """
    remembered = timedelta(seconds=REMEMBERED_FOR)
    if since < datetime.now(UTC) - remembered and not again:
        raise UserError(
            f"Consumers keep the ids of handled events for {remembered.days} days: older events "
            "would be handled again. To replay them, add --again."
        )
    if since >= until:
        raise UserError(f"--from ({since}) must be before --to ({until}).")
    events, bus = clients.client("events"), bus_name(stage)
    archive = _archive(clients, stage)
    consumer = consumer_named(deployed_consumers(clients, bus), to) if to else None
    moment = datetime.now(UTC).strftime("%y%m%dT%H%M%S")
    name = replay_name(to, moment) if to else replay_name(moment=moment)
    destination: dict[str, Any] = {"Arn": archive["EventSourceArn"]}
    if consumer:
        # The patterns of all other rules reject this replay. With this, EventBridge does not even
        # evaluate them.
        destination["FilterArns"] = [rule.arn for rule in _replayable(consumer, name)]
    events.start_replay(
        ReplayName=name,
        EventSourceArn=archive["ArchiveArn"],
        EventStartTime=since,
        EventEndTime=until,
        Destination=destination,
    )
    return _wait_until_ended(events, name, on_progress)


def _archive(clients: Clients, stage: str) -> dict[str, Any]:
    events, bus = clients.client("events"), bus_name(stage)
    try:
        found: dict[str, Any] = events.describe_archive(ArchiveName=bus)
    except events.exceptions.ResourceNotFoundException as error:
        raise not_deployed(clients, stage, f"archive {bus}") from error
    return found


def _replayable(consumer: Consumer, name: str) -> list[Rule]:
    """Return the consumer's rules that match a replay to it; raises UserError if none does."""
    rules = [rule for rule in consumer.rules if f'"{replay_name(consumer.name)}"' in rule.pattern]
    if not rules:
        raise UserError(
            f"No rule of {consumer.name} matches a replay ({REPLAY_NAME} {name}): it takes live "
            "events only, like the journal."
        )
    return rules


def _wait_until_ended(events: Any, name: str, on_progress: Callable[[str], None]) -> Replay:
    while True:
        found = events.describe_replay(ReplayName=name)
        reached = found.get("EventLastReplayedTime")
        on_progress(f"{found['State'].lower()}" + (f", at {reached}" if reached else ""))
        if found["State"] in ENDED:
            return Replay(name, found["State"], found.get("StateReason"), reached)
        time.sleep(SECONDS_BETWEEN_POLLS)
