"""The payment provider's stand-in: an HTTPS server on 127.0.0.1 around the sandbox function.

    python -m demo.provider PORT CERTIFICATE KEY

It runs in its own process, which holds its ledger, and ends with the process that started it.
"""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from functions.payments import sandbox
from functions.payments.ledger import MemoryLedger
from patchbay.processes.exit_with_parent import end_with_parent

HOST = "127.0.0.1"


class Provider(BaseHTTPRequestHandler):
    """A request handler that passes each request to the function, as a function URL does."""

    protocol_version = "HTTP/1.1"
    # A response is one packet: a second one would wait for the acknowledgement of the first.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def _answer(self) -> None:
        answer = sandbox.handler(self._event(), None)
        body = str(answer["body"]).encode()
        self.send_response(answer["statusCode"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _event(self) -> dict[str, Any]:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        return {
            "version": "2.0",
            "rawPath": address.path,
            "rawQueryString": address.query,
            "queryStringParameters": dict(parse_qsl(address.query)),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {
                "http": {"method": self.command, "path": address.path},
                "stage": "$default",
            },
            "body": self.rfile.read(length).decode(),
            "isBase64Encoded": False,
        }


class Server(ThreadingHTTPServer):
    """A server with a thread for each client, which also does the TLS handshake."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, certificate: Path, key: Path) -> None:
        super().__init__((HOST, port), Provider)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self._tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        print(f"{client_address}: {sys.exc_info()[1]!r}", file=sys.stderr)


def main(port: str, certificate: str, key: str) -> None:
    end_with_parent()
    own = MemoryLedger()
    sandbox.ledger = lambda: own
    Server(int(port), Path(certificate), Path(key)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
