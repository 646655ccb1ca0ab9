"""Checks of names: each is within AWS's limits in every stage.

cfn-lint checks the limits of all other kinds of resources.
"""

import re
from collections.abc import Iterator, Mapping

from patchbay.guardrails.finding import Finding, System
from patchbay.project.naming import bus_name
from patchbay.project.project import MAX_STAGE, STAGE_PATTERN
from patchbay.topology.template import NAME_PROPERTIES, Template

# AWS's own limits, in characters, from the API reference of each `Create…` action.
LIMITS: Mapping[str, tuple[str, int]] = {
    "SQS::Queue": ("Queue", 80),
    "DynamoDB::Table": ("Table", 255),
    "ApiGatewayV2::Api": ("API", 128),
}
MAX_STACK = 128


def name(system: System) -> Iterator[Finding]:
    """Find each name that is too long in a stage with the longest possible name."""
    for template in system.templates.values():
        yield from _stack(template)
        for kind, (word, limit) in LIMITS.items():
            for resource in template.all(kind):
                given = resource.properties.get(NAME_PROPERTIES[kind])
                if isinstance(given, str) and len(longest := with_longest_stage(given)) > limit:
                    yield Finding(
                        resource,
                        f"{word} {longest} has a name of {len(longest)} characters, but AWS "
                        f"allows {limit}: it could not be deployed. "
                        f"{_shorten(len(longest) - limit)}",
                    )


def _stack(template: Template) -> Iterator[Finding]:
    longest = with_longest_stage(template.stack)
    if len(longest) > MAX_STACK:
        yield Finding(
            None,
            f"Stack {longest} has a name of {len(longest)} characters, but AWS allows "
            f"{MAX_STACK}: it could not be deployed. {_shorten(len(longest) - MAX_STACK)}",
        )


def with_longest_stage(text: str) -> str:
    """Return a text with each physical name as in a stage with the longest possible name."""
    prefix = re.escape(bus_name(""))
    return re.sub(
        # Where a stage's name ends, a letter follows the hyphen, or nothing does.
        rf"(?<![a-z0-9]){prefix}{STAGE_PATTERN}(?![a-z0-9]|-[0-9])",
        bus_name("s" * MAX_STAGE),
        text,
    )


def _shorten(excess: int) -> str:
    return f"Shorten it by {excess} character{'s' * (excess > 1)}."
