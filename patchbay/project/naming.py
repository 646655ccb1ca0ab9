"""Physical names, by which services and operators find what is deployed; they need no CDK."""

from typing import Literal

SYSTEM = "patchbay"
StageName = Literal["local", "dev", "prod"]


def named(stage: str, name: str) -> str:
    """The physical name of a resource in a stage."""
    return f"{SYSTEM}-{stage}-{name}"


def bus_name(stage: str) -> str:
    """The name of a stage's event bus."""
    return f"{SYSTEM}-{stage}"


def claims_bucket(stage: str, account: str, region: str) -> str:
    """The bucket of claims: all accounts share the names of buckets, so that it holds them both."""
    return named(stage, f"claims-{account}-{region}")


REPLAY_NAME = "replay-name"  # the field that EventBridge adds to what it replays
EVERYONE = "everyone"


def replay_name(consumer: str = EVERYONE, moment: str = "") -> str:
    """The name of a replay that is meant for one consumer, or for everyone.

    No consumer's name has a dot in it, so that none begins another's replays.
    """
    return f"{consumer}.{moment}"
