"""What differs between local, dev and prod, and nothing else."""

import platform
import sys
from dataclasses import dataclass
from typing import get_args

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from patchbay.errors import UserError
from patchbay.project import naming
from patchbay.project.naming import StageName

STAGES: frozenset[StageName] = frozenset(get_args(StageName))

# SES's mailbox simulator: it takes every mail, and no person gets one.
SIMULATED_CUSTOMERS = "success+{customer}@simulator.amazonses.com"


class BadStage(UserError):
    """The stage, or a setting that it needs, is not given or not known."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One deployment of the system."""

    name: StageName
    mail_from: str
    mail_to: str
    payment_provider: str | None
    """Where the payment provider is; none where its stand-in is deployed with the system."""

    @classmethod
    def of(cls, scope: Construct) -> "Stage":
        """The stage that the CDK context names (`cdk … -c stage=dev`); raises BadStage."""

        def setting(key: str) -> str | None:
            value = scope.node.try_get_context(key)
            return None if value is None else str(value)

        name = setting("stage")
        if name not in STAGES:
            raise BadStage(
                f"There is no stage {name!r}: use one of {', '.join(get_args(StageName))}."
            )
        stage = cls(
            name=name,
            mail_from=setting("mail_from") or "shop@example.com",
            mail_to=setting("mail_to") or SIMULATED_CUSTOMERS,
            payment_provider=setting("payment_provider"),
        )
        if stage.name == "prod":
            stage.check_settings(scope)
        return stage

    @staticmethod
    def check_settings(scope: Construct) -> None:
        """Raises BadStage where a setting is missing that has no safe default in production."""
        needed = ("mail_from", "mail_to", "payment_provider")
        missing = [key for key in needed if not scope.node.try_get_context(key)]
        if missing:
            raise BadStage(
                "The stage prod needs settings that only you know: "
                + ", ".join(missing)
                + ". Put them into cdk.json's context, or pass them as `-c NAME=VALUE`."
            )

    def named(self, name: str) -> str:
        """The physical name of a resource, by which services and operators find it."""
        return naming.named(self.name, name)

    @property
    def bus_name(self) -> str:
        return naming.bus_name(self.name)

    @property
    def keeps_data(self) -> bool:
        return self.name == "prod"

    @property
    def removal_policy(self) -> RemovalPolicy:
        return RemovalPolicy.RETAIN if self.keeps_data else RemovalPolicy.DESTROY

    @property
    def has_archive(self) -> bool:
        # The embedded cloud refuses a template with an archive in it; `local` makes one by API.
        return self.name != "local"

    @property
    def has_payment_sandbox(self) -> bool:
        """Whether a sandbox plays the payment provider; never in production."""
        return self.name != "prod"

    @property
    def max_concurrency(self) -> int:
        """How many batches one consumer may handle at once."""
        return {"local": 3, "dev": 10, "prod": 50}[self.name]

    @property
    def warehouse_holds(self) -> int:
        """How many records a warehouse holds when it is full."""
        return {"local": 80, "dev": 1_000, "prod": 100_000}[self.name]

    @property
    def log_retention(self) -> logs.RetentionDays:
        if self.keeps_data:
            return logs.RetentionDays.THREE_MONTHS
        return logs.RetentionDays.ONE_WEEK

    @property
    def runtime(self) -> lambda_.Runtime:
        if self.name == "local":  # the functions run on this machine's interpreter
            major, minor = sys.version_info[:2]
            return lambda_.Runtime(f"python{major}.{minor}", lambda_.RuntimeFamily.PYTHON)
        return lambda_.Runtime.PYTHON_3_14

    @property
    def architecture(self) -> lambda_.Architecture:
        if self.name == "local" and platform.machine() not in ("arm64", "aarch64"):
            return lambda_.Architecture.X86_64
        return lambda_.Architecture.ARM_64
