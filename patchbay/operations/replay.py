"""Plays what is in the bus's archive again: to one consumer alone, or to everyone."""

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

LOOK_EVERY = 1.0  # seconds
OVER = {"COMPLETED", "CANCELLED", "FAILED"}


@dataclass(frozen=True)
class Replay:
    """A replay that is over."""

    name: str
    state: str
    reason: str | None
    reached: datetime | None
    """How far it came: when the last event that it played was published."""


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
    """Play what was published in that time again, and wait until that is done.

    `to` names the consumer that is to get it, and no other; None is for everyone. `again` says that
    it may be older than what consumers remember. `tell` is told how far it has come. Raises
    UserError.
    """
    remembered = timedelta(seconds=REMEMBERED_FOR)
    if since < datetime.now(UTC) - remembered and not again:
        raise UserError(
            f"Consumers remember for {remembered.days} days what they have handled: what is "
            "older would be handled again, by those who were there. If that is meant, add --again."
        )
    if since >= until:
        raise UserError(f"Nothing is between {since} and {until}: --from comes before --to.")
    events, bus = clients.client("events"), bus_name(stage)
    archive = _archive(clients, stage)
    consumer = consumer_named(deployed_consumers(clients, bus), to) if to else None
    moment = datetime.now(UTC).strftime("%y%m%dT%H%M%S")
    name = replay_name(to, moment) if to else replay_name(moment=moment)
    destination: dict[str, Any] = {"Arn": archive["EventSourceArn"]}
    if consumer:
        # The rules' own patterns let nobody else in; so, EventBridge need not even ask.
        destination["FilterArns"] = [rule.arn for rule in _open(consumer, name)]
    events.start_replay(
        ReplayName=name,
        EventSourceArn=archive["ArchiveArn"],
        EventStartTime=since,
        EventEndTime=until,
        Destination=destination,
    )
    return _followed(events, name, on_progress)


def _archive(clients: Clients, stage: str) -> dict[str, Any]:
    events, bus = clients.client("events"), bus_name(stage)
    try:
        found: dict[str, Any] = events.describe_archive(ArchiveName=bus)
    except events.exceptions.ResourceNotFoundException as error:
        raise not_deployed(clients, stage, f"archive {bus}") from error
    return found


def _open(consumer: Consumer, name: str) -> list[Rule]:
    """Return the consumer's rules; raises UserError if none lets the replay through."""
    rules = [rule for rule in consumer.rules if f'"{replay_name(consumer.name)}"' in rule.pattern]
    if not rules:
        raise UserError(
            f"No rule of {consumer.name} lets a replay through ({REPLAY_NAME} {name}): it takes "
            "live events only, as the journal does."
        )
    return rules


def _followed(events: Any, name: str, on_progress: Callable[[str], None]) -> Replay:
    while True:
        found = events.describe_replay(ReplayName=name)
        reached = found.get("EventLastReplayedTime")
        on_progress(f"{found['State'].lower()}" + (f", at {reached}" if reached else ""))
        if found["State"] in OVER:
            return Replay(name, found["State"], found.get("StateReason"), reached)
        time.sleep(LOOK_EVERY)
