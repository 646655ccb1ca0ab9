"""A way to SES that can be made slow: what is sent through it waits, and then goes on unchanged."""

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

import urllib3

from patchbay.local.cloud import LocalCloud
from patchbay.processes import ports

PORT = 4580
SETTING = "AWS_ENDPOINT_URL_SESV2"  # of an AWS client: where SES is


class MailGate:
    """Stands between the functions that mail and SES, on 127.0.0.1."""

    delay: float = 0.0
    """Seconds that a mail has to wait."""

    def __init__(self, cloud: LocalCloud) -> None:
        with ports.reserve(PORT) as reserved:
            port: int = reserved.getsockname()[1]
        self.url = f"https://{ports.HOST}:{port}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cloud.certificates.certificate, cloud.certificates.key)
        handler = type("Handler", (_Handler,), {"gate": self, "beyond": _Beyond(cloud)})
        self._server = _Server((ports.HOST, port), handler, context)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True, name="mail gate").start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Beyond:
    """SES itself."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._endpoint = cloud.endpoint
        self._http = urllib3.PoolManager(maxsize=32, ca_certs=str(cloud.ca_path), retries=False)

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        return self._http.request(method, self._endpoint + path, headers=headers, body=body)


class _Handler(BaseHTTPRequestHandler):
    gate: ClassVar[MailGate]
    beyond: ClassVar[_Beyond]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.gate.delay)
        # With the Host that the client has signed, or SES would not believe who it is.
        answer = self.beyond.ask("POST", self.path, dict(self.headers), body)
        self.send_response(answer.status)
        for name in ("Content-Type", "x-amzn-RequestId", "x-amzn-ErrorType"):
            if value := answer.headers.get(name):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the functions that mail do that."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Any, context: ssl.SSLContext) -> None:
        super().__init__(address, handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is its own affair."""
