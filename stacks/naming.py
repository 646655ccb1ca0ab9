"""Physical names, by which services and operators find what is deployed; they need no CDK."""

SYSTEM = "patchbay"


def named(stage: str, name: str) -> str:
    """The physical name of a resource in a stage."""
    return f"{SYSTEM}-{stage}-{name}"


def bus_name(stage: str) -> str:
    """The name of a stage's event bus."""
    return f"{SYSTEM}-{stage}"
