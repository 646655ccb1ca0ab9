"""The CDK app of the request-response shop, which is in no stage of the real app."""

from demo.coupling.stack import RequestResponse
from patchbay.app import synthesizing
from patchbay.app.services import services

if __name__ == "__main__":
    with synthesizing() as app:
        names = [service.service_name() for service in services()]
        RequestResponse(app, fulfils="fulfilment" in names)
