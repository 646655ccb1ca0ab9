"""The embedded cloud itself: access to it, and its end."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from patchbay.local import environment
from patchbay.local.cloud import SERVER, LocalCloud, StartFailed
from patchbay.packaging.asset import asset
from patchbay.processes import ports
from patchbay.processes.waiting import wait_until
from patchbay.project.root import ROOT
from tests.patchbay.local.functions import create_function, invoke
from tests.patchbay.processes.processes import living

pytestmark = pytest.mark.embedded

PORT = 4950  # far from what other clouds take, so that nobody follows on it at once
SECONDS = 15
LISTENS = "0A"  # the state, as Linux writes it in /proc/net/tcp


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ports.HOST, port)) != 0


WHERE_PATCHBAY_IS = """
import importlib, sys

def handler(event, context):
    try:
        module = importlib.import_module("patchbay")
    except ImportError:
        return None
    return getattr(module, "WHERE", module.__file__)
"""


def test_its_functions_only_see_the_modules_of_patchbay_in_their_own_asset(
    cloud: LocalCloud,
) -> None:
    create_function(cloud, "without", {"handler.py": WHERE_PATCHBAY_IS})
    files = {"handler.py": WHERE_PATCHBAY_IS, "patchbay/__init__.py": 'WHERE = "in the asset"\n'}
    create_function(cloud, "with", files)
    assert invoke(cloud, "without") is None
    assert invoke(cloud, "with") == "in the asset"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads Linux's own books")
def test_its_server_has_no_package_of_the_projects_environment(
    cloud: LocalCloud,
) -> None:
    modules = asset(SERVER)
    assert {path.name for path in modules.iterdir()} == {"patchbay"}
    command = Path(f"/proc/{cloud.pid}/cmdline").read_text().split("\0")
    assert command[0] == str(environment.FOLDER / "bin" / "python")
    assert str(modules) in command


def test_its_root_credentials_are_accepted(cloud: LocalCloud) -> None:
    assert cloud.client("sts").get_caller_identity()["Arn"].endswith(":root")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_PROFILE", "nobody"),
        ("AWS_ENDPOINT_URL", "https://127.0.0.1:9"),
        ("AWS_CA_BUNDLE", "/nowhere.pem"),
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "somebody-else"),
    ],
)
def test_its_clients_ignore_the_users_aws_settings(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert cloud.client("sqs").list_queues()
    assert cloud.environ.get(name) != value


def test_a_caller_with_unknown_credentials_is_refused(cloud: LocalCloud) -> None:
    stranger = replace(cloud.access, key="AKIAIOSFODNN7EXAMPLE")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.client("dynamodb").list_tables()


def test_a_caller_without_credentials_is_refused(cloud: LocalCloud) -> None:
    context = ssl.create_default_context(cafile=str(cloud.ca_path))
    connection = http.client.HTTPSConnection(ports.HOST, cloud.access.port, context=context)
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}
    connection.request("POST", "/", body="{}", headers=headers)
    answer = connection.getresponse()
    assert answer.status == http.HTTPStatus.BAD_REQUEST
    assert "MissingAuthenticationToken" in answer.read().decode()
    connection.close()


def test_a_client_that_does_not_trust_its_authority_refuses_it(cloud: LocalCloud) -> None:
    connection = http.client.HTTPSConnection(
        ports.HOST, cloud.access.port, context=ssl.create_default_context()
    )
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/_ministack/health")


def test_it_refuses_plain_http(cloud: LocalCloud) -> None:
    connection = http.client.HTTPConnection(ports.HOST, cloud.access.port, timeout=SECONDS)
    connection.request("GET", "/_ministack/health")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse()
    connection.close()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's own books")
def test_it_only_listens_on_one_port_of_the_loopback(cloud: LocalCloud) -> None:
    held = {
        str(descriptor.readlink())
        for process in living(cloud.pid)
        for descriptor in Path(f"/proc/{process}/fd").iterdir()
    }
    listening = [
        entry[1]
        for table in ("tcp", "tcp6")
        for entry in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if entry[3] == LISTENS and f"socket:[{entry[9]}]" in held
    ]
    assert listening == [f"0100007F:{cloud.access.port:04X}"]


def test_a_second_cloud_has_another_port_and_its_own_state(cloud: LocalCloud) -> None:
    cloud.client("sqs").create_queue(QueueName="of-the-first")
    with LocalCloud(cloud.access.port) as second:
        assert second.access.port != cloud.access.port
        assert second.client("sqs").list_queues().get("QueueUrls", []) == []
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            replace(second.access, key=cloud.access.key).client("sqs").list_queues()


def test_it_can_be_stopped_twice_and_only_leaves_its_log() -> None:
    with LocalCloud(PORT) as stopped:
        port, group = stopped.access.port, stopped.pid
        stopped.stop()
        stopped.stop()
    assert is_free(port)
    assert living(group) == []
    assert stopped.log_path.exists()
    assert not (stopped.folder / "tmp").exists()


def test_a_cloud_that_does_not_start_reports_the_reason_and_its_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("patchbay.local.cloud.issue", _issue_nonsense)
    broken = LocalCloud(PORT)
    with pytest.raises(
        StartFailed, match=r"ended while it was starting[\s\S]*cloud\.log[\s\S]*PEM"
    ):
        broken.start()
    assert is_free(broken.access.port)
    assert broken.has_ended()


def _issue_nonsense(folder: Path) -> object:
    from patchbay.local.certificates import issue

    certificates = issue(folder)
    certificates.certificate.write_text("nonsense")
    return certificates


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, -2), (signal.SIGTERM, -2)]
)
def test_all_its_processes_end_with_its_parent(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, str(Path(__file__).with_name("a_parent.py")), str(tmp_path / "sign")]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        started = json.loads(parent.stdout.readline())
        assert len(living(started["group"])) == 2, "the server, and the function that is stuck"
        parent.send_signal(number)
        assert parent.wait() == code
    wait_until(lambda: living(started["group"]) == [], "the cloud's processes to end", SECONDS)
    wait_until(lambda: is_free(started["port"]), "the cloud's port to be free", SECONDS)
