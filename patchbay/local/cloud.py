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
from patchbay.processes.process import Tethered
from patchbay.processes.waiting import NotInTime, wait_until
from patchbay.processes.workspace import LOCAL, tail

PORT = 4566  # what is asked for: where it is taken, the next free one serves as well
SECONDS_TO_START = 60
SERVER = "patchbay.local.emulator.server"
# The server's environment holds what Lambda's runtime has, and no `patchbay`. So it gets a folder
# with just its own modules, which the functions, processes of their own, have not on their path.
RUN_SERVER = f"""
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("{SERVER}", run_name="__main__")
"""


class StartFailed(UserError):
    """The cloud did not come up."""


class LocalCloud:
    """One run of the cloud, empty at its start. Two at a time are fine: each has its own folder."""

    folder: Path
    log_path: Path
    certificates: Certificates
    access: Access

    def __init__(self, preferred_port: int = PORT) -> None:
        self._preferred_port = preferred_port
        self._server: Tethered | None = None

    def start(self) -> Self:
        """Start it, and return once it answers; raises UserError."""
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
            self._wait_till_healthy(self._server)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it and all that it started; harmless where that has been done."""
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
        """Where it is."""
        return self.access.endpoint

    @property
    def environ(self) -> dict[str, str]:
        """A whole environment for a client's process, such as the CDK CLI's."""
        return self.access.environ

    @property
    def ca_path(self) -> Path:
        """The authority that its clients trust."""
        return self.certificates.authority

    @property
    def pid(self) -> int:
        """Its process, which leads the group of all that it starts; raises where there is none."""
        if self._server is None:
            raise UserError("The local cloud is not running.")
        return self._server.pid

    def client(self, service: str) -> Any:
        """A boto3 client that reaches it, whatever this process's own environment says."""
        return self.access.client(service)

    def has_ended(self) -> bool:
        """Whether it is not running: not started, stopped, or dead."""
        return self._server is None or self._server.has_ended()

    def is_healthy(self) -> bool:
        """Whether it answers, over TLS that holds."""
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

    def _serve(self, python: Path, reserved: socket.socket) -> Tethered:
        descriptor = reserved.fileno()
        # -P: the current folder is not on its path.
        command = [str(python), "-P", "-c", RUN_SERVER, str(asset(SERVER)), str(descriptor)]
        return Tethered(
            command,
            environ=self._server_environ(),
            log=self.log_path,
            cwd=self._temporary,
            pass_fds=[descriptor],
        )

    def _server_environ(self) -> dict[str, str]:
        """All that the cloud gets to see; its functions see it too, as a sandbox of their own."""
        seen = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "TZ") if k in os.environ}
        folder = str(self._temporary)
        seen |= self.access.surroundings
        return seen | {
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
            # It would open ports of its own for these two, and tidy up another one's containers.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        }

    def _wait_till_healthy(self, server: Tethered) -> None:
        def settled() -> bool:
            return server.has_ended() or self.is_healthy()

        try:
            wait_until(settled, f"the local cloud to answer at {self.endpoint}", SECONDS_TO_START)
        except NotInTime as error:
            raise StartFailed(self._explain(str(error))) from error
        if server.has_ended():
            raise StartFailed(self._explain("The local cloud ended while it was starting."))

    def _explain(self, what: str) -> str:
        return f"{what}\nIts log is {self.log_path}, and ends with:\n{tail(self.log_path)}"
