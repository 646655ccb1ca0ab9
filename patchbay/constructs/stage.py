"""The properties of resources that depend on the stage: names, retention, runtime."""

import platform
import sys

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from patchbay.errors import UserError
from patchbay.project import naming
from patchbay.project.project import Stage, project

_ARM = ("arm64", "aarch64")


class NoStage(UserError):
    """The app was synthesized without a stage."""


def stage_of(scope: IConstruct) -> Stage:
    """Return the stage that the CDK context names (`cdk … -c stage=dev`).

    Raises NoStage, and BadStage where no stage can have that name.
    """
    name = scope.node.try_get_context("stage")
    if not name:
        raise NoStage("The app is synthesized without a stage: pass `-c stage=dev`.")
    return project().stage(str(name))


def named(scope: IConstruct, name: str) -> str:
    """Return the physical name of a resource, with which services and operators find it."""
    return naming.named(stage_of(scope).name, name)


def bus_name(scope: IConstruct) -> str:
    """Return the name of the stage's event bus."""
    return naming.bus_name(stage_of(scope).name)


def removal_policy(scope: IConstruct) -> RemovalPolicy:
    """Return the removal policy of data when its stack is deleted."""
    return RemovalPolicy.RETAIN if stage_of(scope).keeps_data else RemovalPolicy.DESTROY


def log_retention(scope: IConstruct) -> logs.RetentionDays:
    """Return the retention of logs."""
    if stage_of(scope).keeps_data:
        return logs.RetentionDays.THREE_MONTHS
    return logs.RetentionDays.ONE_WEEK


def max_concurrency(stage: Stage) -> int:
    """Return the default number of batches that a consumer handles at once."""
    return {"local": 3, "dev": 10, "prod": 50}[stage.kind]


def runtime(stage: Stage) -> lambda_.Runtime:
    """Return the Python runtime of functions; locally, it is this machine's version."""
    if stage.is_local:
        major, minor = sys.version_info[:2]
        return lambda_.Runtime(f"python{major}.{minor}", lambda_.RuntimeFamily.PYTHON)
    return lambda_.Runtime.PYTHON_3_14


def architecture(stage: Stage) -> lambda_.Architecture:
    """Return the processor architecture of functions; locally, it is this machine's."""
    if stage.is_local and platform.machine() not in _ARM:
        return lambda_.Architecture.X86_64
    return lambda_.Architecture.ARM_64
