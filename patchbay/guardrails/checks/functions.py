"""Checks of functions: their runtime, and their log groups."""

import re
from collections import defaultdict
from collections.abc import Iterator

from patchbay.guardrails.finding import Finding, System
from patchbay.topology.template import Resource

# Python 3.10 left Lambda's support in October 2026, and those before it earlier:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
OLDEST_PYTHON = (3, 11)


def log_group(system: System) -> Iterator[Finding]:
    """Find each function without a log group of its own, and each log group without retention."""
    writers: defaultdict[Resource, list[Resource]] = defaultdict(list)
    for function in system.all("Lambda::Function"):
        group = _group_of(function)
        if group:
            writers[group].append(function)
        else:
            yield Finding(
                function,
                f"Function {function.name} has no log group in its stack: Lambda would create one "
                "that keeps everything for ever, at your cost. Create it, with a retention.",
            )
    for group, functions in writers.items():
        if len(functions) > 1:
            names = " and ".join(sorted(function.name for function in functions))
            yield Finding(
                group,
                f"Log group {group.name} is shared by {names}: their lines would be mixed, and "
                "have one retention. Give each function its own.",
            )
    for group in system.all("Logs::LogGroup"):
        if not group.properties.get("RetentionInDays"):
            yield Finding(
                group,
                f"Log group {group.name} has no retention: it would keep everything for ever, at "
                "your cost. Set RetentionInDays.",
            )


def runtime(system: System) -> Iterator[Finding]:
    """Find each function without a supported Python runtime, or without an architecture."""
    for function in system.all("Lambda::Function"):
        name = function.properties.get("Runtime")
        python = re.fullmatch(r"python(\d+)\.(\d+)", str(name))
        if not python:
            yield Finding(
                function,
                f"Function {function.name} runs on {name or 'no stated runtime'}, which is not a "
                "version of Python: its layer and its tests are made for Python. Use python3.N.",
            )
        elif (int(python[1]), int(python[2])) < OLDEST_PYTHON:
            oldest = ".".join(map(str, OLDEST_PYTHON))
            yield Finding(
                function,
                f"Function {function.name} runs on {name}, which Lambda no longer supports: it "
                f"gets no security fixes, and AWS will refuse it. Use python{oldest} or newer.",
            )
        if not function.properties.get("Architectures"):
            yield Finding(
                function,
                f"Function {function.name} does not state its architecture, and would run on "
                "x86_64: a layer built for arm64 fails there when it is imported. State it.",
            )


def _group_of(function: Resource) -> Resource | None:
    named = function.properties.get("LoggingConfig", {}).get("LogGroup")
    if group := function.template.find(named):
        return group
    wanted = named or f"/aws/lambda/{function.name}"
    return next((g for g in function.template.all("Logs::LogGroup") if g.name == wanted), None)
