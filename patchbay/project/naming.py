"""Physical names, with which services and operators find deployed resources; without the CDK."""

import re

from patchbay.project.project import STAGE_PATTERN, project

STAGE_TAG = "patchbay:stage"
SERVICE_TAG = "patchbay:service"

REPLAY_NAME = "replay-name"  # the field that EventBridge adds to replayed events
EVERYONE = "everyone"


def named(stage: str, name: str) -> str:
    """Return the physical name of a resource in a stage."""
    return f"{project().name}-{stage}-{name}"


def bus_name(stage: str) -> str:
    """Return the name of a stage's event bus."""
    return f"{project().name}-{stage}"


def parsed(name: str) -> tuple[str, str] | None:
    """Return the stage and the rest of a physical name; None if it is not the project's."""
    found = re.fullmatch(rf"{re.escape(project().name)}-({STAGE_PATTERN})-([a-z].*)", name)
    return (found[1], found[2]) if found else None


def claims_bucket(stage: str, account: str, region: str) -> str:
    """Return the name of the claims' bucket; bucket names are unique across all accounts."""
    return named(stage, f"claims-{account}-{region}")


def replay_name(consumer: str = EVERYONE, moment: str = "") -> str:
    """Return the name of a replay for one consumer, or for all of them.

    Consumers' names have no dot, so no consumer matches the prefix of another's replays.
    """
    return f"{consumer}.{moment}"
