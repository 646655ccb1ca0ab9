"""Physical names, by which services and operators find what is deployed; they need no CDK."""

import re

from patchbay.project.project import STAGE_PATTERN, project

STAGE_TAG = "patchbay:stage"
SERVICE_TAG = "patchbay:service"

REPLAY_NAME = "replay-name"  # the field that EventBridge adds to what it replays
EVERYONE = "everyone"


def named(stage: str, name: str) -> str:
    """Return the physical name of a resource in a stage."""
    return f"{project().name}-{stage}-{name}"


def bus_name(stage: str) -> str:
    """Return the name of a stage's event bus."""
    return f"{project().name}-{stage}"


def parsed(name: str) -> tuple[str, str] | None:
    """Return the stage and the rest of a physical name; None where it is none of the project's."""
    found = re.fullmatch(rf"{re.escape(project().name)}-({STAGE_PATTERN})-([a-z].*)", name)
    return (found[1], found[2]) if found else None


def claims_bucket(stage: str, account: str, region: str) -> str:
    """Return the name of the claims' bucket: all accounts share the names of buckets."""
    return named(stage, f"claims-{account}-{region}")


def replay_name(consumer: str = EVERYONE, moment: str = "") -> str:
    """Return the name of a replay that is meant for one consumer, or for everyone.

    No consumer's name has a dot in it, so that none begins another's replays.
    """
    return f"{consumer}.{moment}"
