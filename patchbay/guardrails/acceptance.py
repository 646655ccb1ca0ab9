"""Acceptances of findings by constructs, read from the cloud assembly."""

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
    """The findings that constructs accept, by the constructs' paths."""

    paths: Mapping[tuple[str, str], str]
    """The path of the construct behind each resource: by stack and logical id."""

    reasons: Mapping[str, frozenset[str]]
    """The findings that are accepted at a path."""

    def path_of(self, finding: Finding) -> str | None:
        """Return the path of a finding's construct, as in records-dev-orders/Outbox/Unpublished."""
        return self.paths.get((finding.at.stack, finding.at.id)) if finding.at else None

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding's construct accepts it, or one that encloses that."""
        path = self.path_of(finding) or ""
        return any(finding.id in self.reasons.get(at, ()) for at in _enclosing(path))

    def unused(self, findings: list[Finding], checks: set[str]) -> list[Finding]:
        """Return a finding for each acceptance, for one of these checks, that nothing needs."""
        needed = {
            (at, finding.id)
            for finding in findings
            for at in _enclosing(self.path_of(finding) or "")
        }
        return [
            Finding(
                None,
                f"{at} accepts {name}, but there is no such finding any more. The next one there "
                "would be accepted unseen. Remove the acceptance.",
                check="acceptance",
            )
            for at, names in self.reasons.items()
            for name in sorted(names)
            if name.partition("[")[0] in checks and (at, name) not in needed
        ]


def read(assembly: Path) -> Acceptances:
    """Read the acceptances of a cloud assembly's constructs."""
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
    """Return the path and those that enclose it, without the stack, which accepts nothing."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 1, -1)]
