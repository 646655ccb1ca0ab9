"""What constructs accept, as the assembly tells it: where, which finding, and why."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patchbay.guardrails.finding import Finding
from patchbay.topology.template import artifacts

_LOGICAL_ID = "aws:cdk:logicalId"
_ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
_NAMESPACE = "Annotation::"  # what the CDK puts before a name that has none


@dataclass(frozen=True)
class Acceptances:
    """The reasons that constructs give, by their paths."""

    paths: Mapping[tuple[str, str], str]
    """The path of the construct behind each resource: by stack and logical id."""

    reasons: Mapping[str, frozenset[str]]
    """The findings that are accepted at a path."""

    def path_of(self, finding: Finding) -> str | None:
        """The construct that a finding is about, as in records-dev-orders/Outbox/Unpublished."""
        return self.paths.get((finding.at.stack, finding.at.id)) if finding.at else None

    def hold(self, finding: Finding) -> bool:
        """Whether the finding is accepted by its construct, or by one that encloses it."""
        path = self.path_of(finding) or ""
        return any(finding.id in self.reasons.get(at, ()) for at in _enclosing(path))

    def unused(self, findings: list[Finding], checks: set[str]) -> list[Finding]:
        """A finding for each acceptance of one of these checks' findings that is no more."""
        needed = {
            (at, finding.id)
            for finding in findings
            for at in _enclosing(self.path_of(finding) or "")
        }
        return [
            Finding(
                None,
                f"{at} accepts {name}, and there is nothing to accept: what comes next would pass "
                "unseen. Remove it.",
                check="acceptance",
            )
            for at, names in self.reasons.items()
            for name in sorted(names)
            if name.partition("[")[0] in checks and (at, name) not in needed
        ]


def read(assembly: Path) -> Acceptances:
    """What the constructs of a cloud assembly accept."""
    paths: dict[tuple[str, str], str] = {}
    reasons: defaultdict[str, set[str]] = defaultdict(set)
    for stack, artifact in artifacts(assembly).items():
        metadata = assembly.joinpath(artifact["additionalMetadataFile"]).read_text()
        for path, entries in json.loads(metadata).items():
            for entry in entries:
                if entry["type"] == _LOGICAL_ID:
                    paths[stack, entry["data"]] = path.strip("/")
                elif entry["type"] == _ACKNOWLEDGED:
                    reasons[path.strip("/")] |= _names(entry["data"])
    return Acceptances(paths, {path: frozenset(names) for path, names in reasons.items()})


def _names(data: Mapping[str, Any]) -> set[str]:
    return {name.removeprefix(_NAMESPACE) for name in data}


def _enclosing(path: str) -> list[str]:
    """The path and those that it is in, but for the stack: that accepts nothing."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 1, -1)]
