"""The network of the functions: function URLs and a test's servers, and nothing else."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from urllib3 import HTTPConnectionPool, HTTPResponse, Timeout
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from patchbay.testkit.aws.function import Function, Invocation, Lambda
from patchbay.testkit.aws.iam import Call, allows

Respond = Callable[[str, str, bytes], tuple[int, Any]]
"""A server's handler: it takes method, path and body, and returns a status and a JSON value."""


@dataclass(frozen=True)
class FunctionUrl:
    """A function's URL, as its template defines it."""

    host: str
    function: Function
    auth: str  # NONE or AWS_IAM


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Network:
    """The HTTP requests of functions, on virtual time."""

    def __init__(self, functions: Lambda, urls: Mapping[str, FunctionUrl]) -> None:
        self._functions = functions
        self._urls = urls
        self._servers: dict[str, Respond] = {}

    def serve(self, host: str, respond: Respond) -> None:
        """Add a server to the network, for a third party that functions call."""
        self._servers[host] = respond

    def urlopen(self, pool: HTTPConnectionPool, method: str, url: str, **options: Any) -> Any:
        """Replace urllib3's method, which requests and botocore use."""
        caller = self._functions.running
        body = options.get("body") or b""
        headers = {str(k).lower(): _text(v) for k, v in (options.get("headers") or {}).items()}
        raw = body.encode() if isinstance(body, str) else bytes(body)
        request = _Request(method, url, headers, raw)
        if caller is None or pool.host not in {*self._urls, *self._servers}:
            raise NewConnectionError(pool, f"There is no {pool.host} in the kit's network.")  # type: ignore[arg-type]
        started = caller.now
        status, content = self._answer(pool.host, request, caller)
        self._wait(pool, url, caller, started, options.get("timeout", pool.timeout))
        return HTTPResponse(
            body=BytesIO(content),
            status=status,
            headers={"content-type": "application/json"},
            preload_content=options.get("preload_content", True),
        )

    def _answer(self, host: str, request: _Request, caller: Invocation) -> tuple[int, bytes]:
        if respond := self._servers.get(host):
            status, payload = respond(request.method, request.target, request.body)
            return status, json.dumps(payload).encode()
        url = self._urls[host]
        if url.auth == "AWS_IAM" and not _may_call(caller.function, url, request):
            return 403, b'{"Message": "Forbidden"}'
        if self._functions.throttles(url.function):
            return 429, b'{"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}'
        event = http_event(request.method, request.target, request.headers, request.body, host)
        answer = self._functions.invoke(url.function, event)
        caller.now = answer.ended
        if answer.error is not None:
            return 502, b"Internal Server Error"
        return response_of(answer.payload)

    def _wait(
        self, pool: HTTPConnectionPool, url: str, caller: Invocation, started: float, timeout: Any
    ) -> None:
        """Let the caller wait for its response, up to its timeout."""
        seconds = timeout.read_timeout if isinstance(timeout, Timeout) else timeout
        if isinstance(seconds, (int, float)) and caller.now - started > seconds:
            self._functions.pass_time_until(caller, started + seconds)
            raise ReadTimeoutError(pool, url, f"no response in {seconds} s")
        self._functions.pass_time_until(caller, caller.now)


def http_event(
    method: str, target: str, headers: Mapping[str, str], body: bytes, host: str, **more: Any
) -> dict[str, Any]:
    """Return a request as an event of API Gateway and function URLs (payload format 2.0)."""
    parts = urlsplit(target)
    try:
        text, is_base64 = body.decode(), False
    except UnicodeDecodeError:
        text, is_base64 = base64.b64encode(body).decode(), True
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": {"host": host, **headers},
        "queryStringParameters": dict(parse_qsl(parts.query)),
        "requestContext": {
            "domainName": host,
            "http": {"method": method, "path": parts.path, "sourceIp": "127.0.0.1"},
            "requestId": "request",
            "stage": "$default",
        },
        "body": text,
        "isBase64Encoded": is_base64,
        **more,
    }


def response_of(payload: Any) -> tuple[int, bytes]:
    """Return the status and body of a function's response, by payload format 2.0."""
    if isinstance(payload, dict) and "statusCode" in payload:
        body = payload.get("body") or ""
        raw = base64.b64decode(body) if payload.get("isBase64Encoded") else str(body).encode()
        return int(payload["statusCode"]), raw
    return 200, json.dumps(payload).encode()


def _may_call(caller: Function, url: FunctionUrl, request: _Request) -> bool:
    if "authorization" not in request.headers:
        return False
    auth = {"lambda:FunctionUrlAuthType": [url.auth], "lambda:InvokedViaFunctionUrl": ["true"]}
    actions = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    return all(allows(caller.statements, Call(each, url.function.arn, auth)) for each in actions)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
