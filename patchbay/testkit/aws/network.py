"""The network that functions see: function URLs, and what a test has put there. Nothing else."""

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
"""Given method, path and body, what a server answers: a status, and what becomes its JSON."""


@dataclass(frozen=True)
class FunctionUrl:
    """What the template says of a function's URL."""

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
    """Answers what functions ask over HTTP, in the cloud's own time."""

    def __init__(self, functions: Lambda, urls: Mapping[str, FunctionUrl]) -> None:
        self._functions = functions
        self._urls = urls
        self._servers: dict[str, Respond] = {}

    def serve(self, host: str, respond: Respond) -> None:
        """Put a server on the network, for a third party that functions talk to."""
        self._servers[host] = respond

    def urlopen(self, pool: HTTPConnectionPool, method: str, url: str, **options: Any) -> Any:
        """Stands in for urllib3's, which requests, httpx's peers and botocore all end in."""
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
        """Have the caller wait for its answer, as long as it is ready to."""
        seconds = timeout.read_timeout if isinstance(timeout, Timeout) else timeout
        if isinstance(seconds, (int, float)) and caller.now - started > seconds:
            self._functions.pass_time_until(caller, started + seconds)
            raise ReadTimeoutError(pool, url, f"no answer in {seconds} s")
        self._functions.pass_time_until(caller, caller.now)


def http_event(
    method: str, target: str, headers: Mapping[str, str], body: bytes, host: str, **more: Any
) -> dict[str, Any]:
    """A request in the form in which API Gateway and function URLs hand it over (format 2.0)."""
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
    """Status and body of what a function answers, by the rules of payload format 2.0."""
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
