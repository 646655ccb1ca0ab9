"""API Gateway: it routes a request to a function by the template's routes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from patchbay.testkit.aws.function import Function, Lambda
from patchbay.testkit.aws.network import http_event, response_of
from patchbay.testkit.aws.permissions import may_invoke
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.reading.arns import arn
from patchbay.testkit.templates import Templates

APIGATEWAY = "apigateway.amazonaws.com"
FULL_CONCURRENCY, FAILED = 503, 500  # API Gateway's status if the function does not respond

_VARIABLE = re.compile(r"\{(\w+)\+?\}")


@dataclass(frozen=True)
class _Route:
    api: str
    key: str
    method: str
    path: re.Pattern[str]
    function: Function
    is_permitted: bool


class HttpApis:
    """Every HTTP API of the templates."""

    def __init__(self, functions: Lambda, templates: Templates) -> None:
        self._functions = functions
        self._templates = templates

    def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Send a request, and return the status and the body of the response."""
        path = target.partition("?")[0]
        for resource in self._templates.all("AWS::ApiGateway::RestApi"):
            raise NotInTheKit(f"{resource} is a REST API: the kit simulates HTTP APIs only.")
        for route in self._routes:
            match = route.path.fullmatch(path)
            if match and route.method in (method, "ANY"):
                return self._invoke(route, match, method, target, headers, body)
        return 404, b'{"message":"Not Found"}'

    @cached_property
    def _routes(self) -> list[_Route]:
        return list(_routes(self._templates))

    def _invoke(
        self,
        route: _Route,
        match: re.Match[str],
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> tuple[int, bytes]:
        if not route.is_permitted:
            return FAILED, b'{"message":"Internal Server Error"}'
        if self._functions.throttles(route.function):
            return FULL_CONCURRENCY, b'{"message":"Service Unavailable"}'
        more = {"routeKey": route.key, "pathParameters": match.groupdict()}
        event = http_event(method, target, headers, body, f"{route.api}.execute-api", **more)
        answer = self._functions.invoke(route.function, event)
        if answer.error is not None:
            return FAILED, b'{"message":"Internal Server Error"}'
        return response_of(answer.payload)


def _routes(templates: Templates) -> Iterator[_Route]:
    integrations = {each.name: each for each in templates.all("AWS::ApiGatewayV2::Integration")}
    for route in templates.all("AWS::ApiGatewayV2::Route"):
        properties = route.properties
        if properties.get("AuthorizationType", "NONE") != "NONE":
            raise NotInTheKit(
                f"{route} has {properties['AuthorizationType']} authorization, which the kit can't "
                "simulate."
            )
        integration = integrations[properties["Target"].removeprefix("integrations/")]
        function = templates.function(integration.properties["IntegrationUri"])
        method, _, path = properties["RouteKey"].partition(" ")
        yield _Route(
            api=properties["ApiId"],
            key=properties["RouteKey"],
            method=method,
            path=_expression(path),
            function=function,
            is_permitted=may_invoke(
                templates,
                function,
                APIGATEWAY,
                arn("execute-api:{where}:{name}", f"{properties['ApiId']}/$default/{method}{path}"),
            ),
        )


def _expression(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\+?\})", path)
    return re.compile("".join(_part(part) for part in parts))


def _part(part: str) -> str:
    variable = _VARIABLE.fullmatch(part)
    if not variable:
        return re.escape(part)
    return f"(?P<{variable[1]}>{'.+' if part.endswith('+}') else '[^/]+'})"
