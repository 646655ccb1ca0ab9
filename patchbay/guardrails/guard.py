"""The guardrails of every synth: our own checks, cfn-lint's errors, cdk-nag's AwsSolutions pack.

docs/guardrails.md describes each check.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from aws_cdk import Acknowledgment, App, Stack, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from patchbay.errors import UserError
from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.guardrails import acceptance, cfn_lint
from patchbay.guardrails.acceptance import Acceptances
from patchbay.guardrails.checks import (
    alarms,
    delivery,
    encryption,
    flow,
    functions,
    mappings,
    names,
    ordering,
    permissions,
    queues,
    schedules,
    streams,
    workflows,
)
from patchbay.guardrails.finding import Check, Finding, System, name_of
from patchbay.topology import template
from patchbay.topology.template import Template

CHECKS: tuple[Check, ...] = (
    delivery.queue_policy,
    delivery.target,
    delivery.pattern,
    delivery.limits,
    queues.visibility,
    queues.dead_letters,
    queues.dead_letters_stay,
    queues.shared_dead_letters,
    mappings.partial_batch,
    mappings.concurrency,
    mappings.enabled,
    mappings.isolation,
    mappings.stream,
    ordering.order,
    ordering.relay,
    schedules.schedule,
    schedules.schedule_role,
    permissions.wildcard,
    permissions.publishing,
    flow.published,
    flow.consumed,
    flow.loop,
    encryption.encryption,
    encryption.tls,
    alarms.alarm,
    alarms.dead_letter_alarm,
    functions.log_group,
    functions.runtime,
    workflows.workflow,
    workflows.workflow_trail,
    workflows.workflow_alarm,
    streams.stream_consumer,
    streams.stream_exists,
    streams.stream_alarm,
    names.name,
)

NAMES = tuple(name_of(check) for check in CHECKS)


class Unsafe(UserError):
    """The guardrails have found something that no construct accepts."""


class BadContracts(UserError):
    """The contracts contradict each other."""


class BadAcceptance(UserError):
    """A finding is accepted on a whole stack, or without a reason."""


def guard(app: App) -> None:
    """Synthesize the app, and check all its stacks. Raise Unsafe for findings not accepted."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    reports = []
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        reports.append(str(error))  # cdk-nag's own report
    assembly = Path(app.outdir)
    accepted = acceptance.read(assembly)
    templates = template.read(assembly)
    remaining = unaccepted(
        [*findings(templates), *cfn_lint.lint(templates)], accepted, [*NAMES, cfn_lint.CHECK]
    )
    if warnings := [finding for finding in remaining if finding.warning]:
        sys.stderr.write(report("Worth knowing", warnings, accepted) + "\n")
    if errors := [finding for finding in remaining if not finding.warning]:
        reports.append(report("Not to be deployed as it is", errors, accepted))
    if reports:
        raise Unsafe("\n\n".join(reports))


def accept(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept findings on a construct and all that it contains, each by name with the reason.

    Raise BadAcceptance for a whole stack, or for an empty reason.
    """
    path = construct.node.path
    if Stack.is_stack(construct) or App.is_app(construct):
        raise BadAcceptance(f"{path} is a whole stack: accept findings on the construct concerned.")
    for finding, reason in findings.items():
        if not reason.strip():
            raise BadAcceptance(f"{path} accepts {finding} without a reason: say why.")
        Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def accept_any_resource(role: IConstruct, *actions: str, reason: str) -> None:
    """Accept `*` as the resource of these actions of a role, which support no resource."""
    ours = {f"{name_of(permissions.wildcard)}[{action}]": reason for action in actions}
    accept(role, {"AwsSolutions-IAM5[Resource::*]": reason} | ours)


def findings(
    templates: Mapping[str, Template], catalogue: Iterable[type[Event]] | None = None
) -> list[Finding]:
    """Return all that the checks find in the templates of one stage, accepted or not."""
    system = System(templates, tuple(_contracts() if catalogue is None else catalogue))
    return [replace(finding, check=name_of(check)) for check in CHECKS for finding in check(system)]


def unaccepted(
    found: list[Finding], accepted: Acceptances, checks: Iterable[str] = NAMES
) -> list[Finding]:
    """Return the findings that no construct accepts, and the acceptances that none needs.

    `checks` are the names of the checks that ran.
    """
    unused = accepted.unused(found, set(checks))
    return [finding for finding in found if not accepted.covers(finding)] + unused


def report(title: str, found: list[Finding], accepted: Acceptances) -> str:
    """Format findings by stack, each with its name and the construct that could accept it."""
    by_stack: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in found:
        by_stack[finding.at.stack if finding.at else "The system"].append(finding)
    lines = [f"{title}: {len(found)} finding{'s' * (len(found) > 1)} (docs/guardrails.md)."]
    for stack, its_findings in by_stack.items():
        lines += ["", stack]
        for finding in its_findings:
            path = accepted.path_of(finding)
            lines += [f"  {finding.text}", f"    {finding.id}{f' at {path}' if path else ''}"]
    return "\n".join(lines)


def _contracts() -> Iterable[type[Event]]:
    try:
        return events().values()
    except ValueError as error:
        raise BadContracts(str(error)) from error
