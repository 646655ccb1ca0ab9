"""An HTTP API in front of functions, throttled, with an access log."""

import json
from collections.abc import Mapping

from aws_cdk import CfnOutput
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_logs as logs
from constructs import Construct

from patchbay.constructs.function import Function
from patchbay.constructs.stage import log_retention, named, removal_policy
from patchbay.guardrails.guard import accept

RATE = 500  # requests a second, in the long run
BURST = 1000  # requests at once

_ACCESS_LOG_FORMAT = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


class HttpApi(Construct):
    """An API and its one stage."""

    def __init__(
        self, scope: Construct, id: str, *, name: str, routes: Mapping[str, Function]
    ) -> None:
        super().__init__(scope, id)
        api_name = named(self, name)
        self._api = apigateway.HttpApi(
            self, "HttpApi", api_name=api_name, create_default_stage=False
        )
        self._default_stage(api_name)
        for route, function in routes.items():
            self._route(route, function)
        CfnOutput(self, "Url", value=self._api.api_endpoint)

    def _default_stage(self, name: str) -> None:
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/apigateway/{name}",
            retention=log_retention(self),
            removal_policy=removal_policy(self),
        )
        default = apigateway.CfnStage(
            self,
            "Stage",
            api_id=self._api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=RATE, throttling_burst_limit=BURST
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=access_log.log_group_arn, format=json.dumps(_ACCESS_LOG_FORMAT)
            ),
        )
        default.node.add_dependency(access_log)

    def _route(self, route: str, function: Function) -> None:
        method, _, path = route.partition(" ")
        added = self._api.add_routes(
            path=path,
            methods=[apigateway.HttpMethod[method]],
            integration=integrations.HttpLambdaIntegration(route, function.function),
        )
        for each in added:
            accept(each, {"AwsSolutions-APIG4": "Its callers have no AWS identity."})
