"""Deployments to the embedded cloud with the CDK CLI."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patchbay.local.cloud import LocalCloud
from patchbay.local.deploy import DeployFailed, bootstrap, deploy, log_of

pytestmark = pytest.mark.embedded

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "deployed"}}
NONSENSE = {"Type": "AWS::No::Such"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        bootstrap(running)
        yield running


def assembly(folder: Path, stacks: dict[str, dict[str, Any]]) -> Path:
    """A cloud assembly, written by hand, for the CDK's own library takes seconds to load."""
    folder.mkdir(exist_ok=True)
    for name, resources in stacks.items():
        (folder / f"{name}.json").write_text(json.dumps({"Resources": resources}))
    artifacts = {
        name: {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": f"{name}.json"},
        }
        for name in stacks
    }
    manifest = {"version": "36.0.0", "artifacts": artifacts}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_every_stack_of_an_assembly_is_deployed(cloud: LocalCloud, tmp_path: Path) -> None:
    one = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "one"}}}
    two = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "two"}}}
    assert deploy(cloud, assembly(tmp_path, {"One": one, "Two": two})) > 0
    queues = cloud.client("sqs").list_queues()["QueueUrls"]
    assert {url.rsplit("/", 1)[1] for url in queues} >= {"one", "two"}


def test_a_failed_deployment_reports_the_reason_and_is_rolled_back(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    bad = assembly(tmp_path, {"Bad": {"Queue": QUEUE, "Nonsense": NONSENSE}})
    with pytest.raises(DeployFailed, match="AWS::No::Such") as failure:
        deploy(cloud, bad)
    assert str(log_of(cloud)) in str(failure.value)
    queues = cloud.client("sqs").list_queues(QueueNamePrefix="deployed")
    assert queues.get("QueueUrls", []) == []


def test_a_stopped_cloud_fails_the_deployment(tmp_path: Path) -> None:
    with LocalCloud() as gone:
        gone.stop()
        with pytest.raises(DeployFailed, match="the local cloud is not running"):
            deploy(gone, assembly(tmp_path, {"One": {"Queue": QUEUE}}))
