"""Errors of cfn-lint, as findings: CloudFormation or a service would refuse them in a template.

docs/decisions/cfn-lint.md lists the checks of our own that remain. Only cfn-lint's rules for
errors run, for one region. Importing cfn-lint takes more than a second, so results are cached by
the template's content, without the hashes of its functions' code.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache as once
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from patchbay.guardrails.checks.names import with_longest_stage
from patchbay.guardrails.finding import Finding
from patchbay.project.root import ROOT
from patchbay.topology.template import Template

CHECK = "cfn-lint"
KEPT = 200  # results in the cache: those used last
CACHE = ROOT / "build" / "cfn-lint"
_REGION = "us-east-1"
_NOT_ERRORS = ("W", "I")  # prefixes of the rules for warnings and for information
_ASSET_HASH = re.compile(r"[0-9a-f]{64}")


class Match(NamedTuple):
    """An error that cfn-lint found, and its place in the template."""

    rule: str
    message: str
    url: str
    """The documentation of the requirement."""
    path: tuple[str, ...]


def lint(templates: Mapping[str, Template], cache: Path = CACHE) -> list[Finding]:
    """Return every error that cfn-lint finds in the templates.

    Names are checked with the longest stage name, so that they fit in every stage.
    """
    cache.mkdir(parents=True, exist_ok=True)
    found = [
        _finding(template, match)
        for template in templates.values()
        for match in _matches(with_longest_stage(json.dumps(template.body)), cache)
    ]
    _forget_old(cache)
    return found


def _finding(template: Template, match: Match) -> Finding:
    section, *rest = match.path or ("",)
    resource = template.find({"Ref": rest[0]}) if section == "Resources" and rest else None
    subject = f"{resource.kind} {resource.name}" if resource else f"Template {template.stack}"
    place = ".".join(rest[1:] if resource else match.path)
    return Finding(
        resource,
        f"{subject}: {match.message}{f', at {place}' if place else ''}. It could not be deployed; "
        f"see {match.url or match.rule}.",
        detail=match.rule,
        check=CHECK,
    )


def _matches(text: str, cache: Path) -> list[Match]:
    content = f"{version('cfn-lint')} {_REGION} {_ASSET_HASH.sub('', text)}"
    result = cache / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.json"
    if result.exists():
        result.touch()
        return [
            Match(rule, message, url, tuple(path))
            for rule, message, url, path in json.loads(result.read_text())
        ]
    matches = _run(text)
    with tempfile.NamedTemporaryFile("w", dir=cache, suffix=".unfinished", delete=False) as file:
        file.write(json.dumps(matches))
    Path(file.name).rename(result)
    return matches


def _run(text: str) -> list[Match]:
    # Imported here because it is slow, and the cache usually has the result.
    from cfnlint.api import lint as lint_text
    from cfnlint.config import ManualArgs

    config = ManualArgs(regions=[_REGION], ignore_checks=list(_NOT_ERRORS))
    matches: list[Any] = lint_text(text, rules=_rules(), config=config)
    return [
        Match(each.rule.id, each.message, each.rule.source_url, tuple(map(str, each.path or ())))
        for each in matches
    ]


@once
def _rules() -> Any:
    from cfnlint.core import get_rules

    return get_rules([], list(_NOT_ERRORS), [])


def _forget_old(cache: Path) -> None:
    results = sorted(cache.glob("*.json"), key=lambda result: result.stat().st_mtime)
    for result in results[:-KEPT]:
        with suppress(FileNotFoundError):  # another synth has removed it
            result.unlink()
