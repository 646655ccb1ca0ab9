"""What no template may do: cdk-nag's AwsSolutions pack, at every synth."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def guard(app: App) -> None:
    """Check every stack of the app when it is synthesized; a finding fails the synth."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def accept(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Let findings stand on one construct: each by its exact name, with the reason."""
    for finding, reason in findings.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
