#!/usr/bin/env python3
"""The whole system: the broker, and every service found in stacks/services."""

import sys

from aws_cdk import App

from stacks.broker import Broker
from stacks.discovery import in_order, services
from stacks.guardrails import guard
from stacks.mistake import Mistake
from stacks.stage import Stage

app = App()
try:
    stage = Stage.of(app)
    broker = Broker(app, stage)
    deployed = [service(app, stage) for service in services() if stage.name in service.stages]
    for service in deployed:
        service.add_stack_dependency(broker)
    in_order(deployed)
    guard(app)
except Mistake as mistake:
    sys.exit(str(mistake))
