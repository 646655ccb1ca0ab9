"""The embedded cloud: AWS's own APIs on 127.0.0.1, over TLS, with IAM enforced.

with LocalCloud() as cloud:
    cloud.client("sqs").list_queues()
"""

import http.client
import os
import shutil
import socket
import ssl
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from patchbay.errors import UserError
from patchbay.local import environment
from patchbay.local.access import ACCOUNT, REGION, Access
from patchbay.local.certificates import Certificates, issue
from patchbay.packaging.asset import asset
from patchbay.processes import ports
from patchbay.processes.process import ChildProcess
from patchbay.processes.waiting import NotInTime, wait_until
from patchbay.processes.workspace import LOCAL, tail

PORT = 4566  # preferred: if it is taken, the next free one is used
SECONDS_TO_START = 60
SERVER = "patchbay.local.emulator.server"
# The server's environment has the packages of Lambda's runtime, and no `patchbay`. So the server
# gets a folder with its own modules, which is not on the path of the functions' processes.
RUN_SERVER = f"""
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("{SERVER}", run_name="__main__")
"""


class StartFailed(UserError):
    """The cloud did not start."""


class LocalCloud:
    """One run of the cloud, empty at its start. Several can run at once, each in its own folder."""

    folder: Path
    log_path: Path
    certificates: Certificates
    access: Access

    def __init__(self, preferred_port: int = PORT) -> None:
        self._preferred_port = preferred_port
        self._server: ChildProcess | None = None

    def start(self) -> Self:
        """Start the cloud, and return once it answers; raises UserError."""
        python = environment.ensure()
        with ports.reserve(self._preferred_port) as reserved:
            port: int = reserved.getsockname()[1]
            self.folder = LOCAL / str(port)
            self.log_path = self.folder / "cloud.log"
            self.certificates = issue(self.folder / "tls")
            self.access = Access(port=port, authority=self.certificates.authority)
            self._empty()  # the last run on this port may have been killed
            self._server = self._serve(python, reserved)
        try:
            self._wait_until_healthy(self._server)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the cloud and all processes that it started, if it runs."""
        if self._server:
            self._server.stop()
            self._server = None
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """Return its URL."""
        return self.access.endpoint

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment for a client's process, such as the CDK CLI."""
        return self.access.environ

    @property
    def ca_path(self) -> Path:
        """Return the file of the certificate authority that its clients trust."""
        return self.certificates.authority

    @property
    def pid(self) -> int:
        """Return its process id, which is its process group's too; raises UserError without one."""
        if self._server is None:
            raise UserError("The local cloud is not running.")
        return self._server.pid

    def client(self, service: str) -> Any:
        """Return a boto3 client for it; it ignores this process's own AWS settings."""
        return self.access.client(service)

    def has_ended(self) -> bool:
        """Return whether it is not running: not started, stopped, or crashed."""
        return self._server is None or self._server.has_ended()

    def is_healthy(self) -> bool:
        """Return whether it answers over valid TLS."""
        context = ssl.create_default_context(cafile=str(self.ca_path))
        connection = http.client.HTTPSConnection(
            ports.HOST, self.access.port, timeout=5, context=context
        )
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @property
    def _temporary(self) -> Path:
        return self.folder / "tmp"

    def _empty(self) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        self.log_path.unlink(missing_ok=True)

    def _serve(self, python: Path, reserved: socket.socket) -> ChildProcess:
        descriptor = reserved.fileno()
        # -P: keep the current folder off its path.
        command = [str(python), "-P", "-c", RUN_SERVER, str(asset(SERVER)), str(descriptor)]
        return ChildProcess(
            command,
            environ=self._server_environ(),
            log=self.log_path,
            cwd=self._temporary,
            pass_fds=[descriptor],
        )

    def _server_environ(self) -> dict[str, str]:
        """Return the environment of the server, which its functions get as well."""
        environ = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "TZ") if k in os.environ}
        folder = str(self._temporary)
        environ |= self.access.surroundings
        return environ | {
            "HOME": folder,
            "TMPDIR": folder,
            "GATEWAY_PORT": str(self.access.port),
            "MINISTACK_HOST": ports.HOST,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": self.access.key,
            "AWS_SECRET_ACCESS_KEY": self.access.secret,
            "AWS_DEFAULT_REGION": REGION,
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(self.certificates.certificate),
            "MINISTACK_SSL_KEY": str(self.certificates.key),
            "LAMBDA_EXECUTOR": "local",
            # Without these, it would open two more ports, and remove the containers of another run.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        }

    def _wait_until_healthy(self, server: ChildProcess) -> None:
        def ended_or_healthy() -> bool:
            return server.has_ended() or self.is_healthy()

        try:
            wait_until(
                ended_or_healthy, f"the local cloud to answer at {self.endpoint}", SECONDS_TO_START
            )
        except NotInTime as error:
            raise StartFailed(self._explain(str(error))) from error
        if server.has_ended():
            raise StartFailed(self._explain("The local cloud ended while it was starting."))

    def _explain(self, what: str) -> str:
        return f"{what}\nIts log is {self.log_path}, and ends with:\n{tail(self.log_path)}"
