"""The request-response shop as an app of its own: no stage of the real one ever holds it."""

import sys

from aws_cdk import App

from demo.coupling.stack import RequestResponse
from patchbay.app.discovery import services
from patchbay.constructs.stage import Stage
from patchbay.errors import UserError
from patchbay.guardrails.guard import guard

if __name__ == "__main__":
    app = App()
    try:
        names = [service.service_name() for service in services()]
        RequestResponse(app, Stage.of(app), fulfils="fulfilment" in names)
        guard(app)
    except UserError as error:
        sys.exit(str(error))
