"""The request-response shop as an app of its own: no stage of the real one ever holds it."""

import sys

from aws_cdk import App

from benchmarks.coupling.stack import RequestResponse
from stacks.discovery import services
from stacks.guardrails import guard
from stacks.mistake import Mistake
from stacks.stage import Stage

if __name__ == "__main__":
    app = App()
    try:
        names = [service.service_name() for service in services()]
        RequestResponse(app, Stage.of(app), fulfils="fulfilment" in names)
        guard(app)
    except Mistake as mistake:
        sys.exit(str(mistake))
