"""The greenhouse: the broker, and every service found in stacks."""

import sys

from aws_cdk import App
from patchbay.app.discovery import in_order, services

from patchbay.constructs.stage import Stage
from patchbay.errors import UserError
from patchbay.guardrails.guard import guard
from stacks.broker import Broker

app = App()
try:
    stage = Stage.of(app)
    broker = Broker(app, stage)
    deployed = [service(app, stage) for service in services() if stage.name in service.stages]
    for service in deployed:
        service.add_stack_dependency(broker)
    in_order(deployed)
    guard(app)
except UserError as error:
    sys.exit(str(error))
