"""A proxy in front of SES that can delay requests."""

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
SETTING = "AWS_ENDPOINT_URL_SESV2"  # environment variable: the endpoint of SES


class MailGate:
    """A proxy on 127.0.0.1 between SES and the functions that send mails."""

    delay: float = 0.0
    """Seconds by which each request is delayed."""

    def __init__(self, cloud: LocalCloud) -> None:
        with ports.reserve(PORT) as reserved:
            port: int = reserved.getsockname()[1]
        self.url = f"https://{ports.HOST}:{port}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cloud.certificates.certificate, cloud.certificates.key)
        handler = type("Handler", (_Handler,), {"gate": self, "ses": _Ses(cloud)})
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


class _Ses:
    """A client of the embedded cloud's SES."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._endpoint = cloud.endpoint
        self._http = urllib3.PoolManager(maxsize=32, ca_certs=str(cloud.ca_path), retries=False)

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        return self._http.request(method, self._endpoint + path, headers=headers, body=body)


class _Handler(BaseHTTPRequestHandler):
    gate: ClassVar[MailGate]
    ses: ClassVar[_Ses]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.gate.delay)
        # With the Host header that the client signed, so that the signature stays valid.
        answer = self.ses.request("POST", self.path, dict(self.headers), body)
        self.send_response(answer.status)
        for name in ("Content-Type", "x-amzn-RequestId", "x-amzn-ErrorType"):
            if value := answer.headers.get(name):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


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
        """Ignore a client that closes its connection."""
