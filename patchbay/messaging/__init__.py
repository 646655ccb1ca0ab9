"""The runtime in Lambda: consumers, publishing, schedules, HTTP APIs.

Each name is loaded from its module on first use. A function that only consumes does not load the
module that publishes, and its asset does not contain it (patchbay/packaging/asset.py).
"""

from typing import TYPE_CHECKING

from patchbay import load_on_use

if TYPE_CHECKING:
    from patchbay.messaging.api import BadRequest as BadRequest
    from patchbay.messaging.api import Refusal as Refusal
    from patchbay.messaging.api import answer as answer
    from patchbay.messaging.api import body as body
    from patchbay.messaging.api import http_api as http_api
    from patchbay.messaging.backoff import client_without_retries as client_without_retries
    from patchbay.messaging.backoff import full_jitter as full_jitter
    from patchbay.messaging.cause import Cause as Cause
    from patchbay.messaging.cause import caused_by as caused_by
    from patchbay.messaging.consuming import consumer as consumer
    from patchbay.messaging.errors import PublishFailed as PublishFailed
    from patchbay.messaging.errors import Reject as Reject
    from patchbay.messaging.idempotency import naturally_idempotent as naturally_idempotent
    from patchbay.messaging.publishing import Outgoing as Outgoing
    from patchbay.messaging.publishing import prepare as prepare
    from patchbay.messaging.publishing import publish as publish
    from patchbay.messaging.publishing import send as send
    from patchbay.messaging.scheduling import scheduled as scheduled
    from patchbay.messaging.telemetry import logger as logger
    from patchbay.messaging.telemetry import metrics as metrics
    from patchbay.messaging.workflow import start_workflow as start_workflow

_MODULES = {
    "BadRequest": "api",
    "Cause": "cause",
    "Outgoing": "publishing",
    "PublishFailed": "errors",
    "Refusal": "api",
    "Reject": "errors",
    "answer": "api",
    "body": "api",
    "caused_by": "cause",
    "client_without_retries": "backoff",
    "consumer": "consuming",
    "full_jitter": "backoff",
    "http_api": "api",
    "logger": "telemetry",
    "metrics": "telemetry",
    "naturally_idempotent": "idempotency",
    "prepare": "publishing",
    "publish": "publishing",
    "scheduled": "scheduling",
    "send": "publishing",
    "start_workflow": "workflow",
}

__all__ = list(_MODULES)

__getattr__ = load_on_use(__name__, _MODULES)
