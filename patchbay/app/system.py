"""A project's CDK app: its broker, its services, and the guardrails that check them all."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aws_cdk import App

from patchbay.app import services as service_modules
from patchbay.app.services import in_order
from patchbay.constructs.service import Service, SystemStack
from patchbay.constructs.stage import stage_of
from patchbay.errors import UserError
from patchbay.guardrails.guard import guard
from patchbay.project.settings import BadSetting


@contextmanager
def synthesizing() -> Iterator[App]:
    """Yield an app for the stacks, then check and synthesize it.

    A UserError ends the process with its message, without a traceback.
    """
    app = App()
    try:
        yield app
        in_order([each for each in app.node.children if isinstance(each, Service)])
        guard(app)
    except UserError as error:
        sys.exit(str(error))


def add_services(app: App, *, after: SystemStack) -> list[Service]:
    """Add every service of stacks/ that the stage's kind has; each is deployed after the broker.

    Raises BadSetting with the missing settings of all services.
    """
    kind = stage_of(app).kind
    added, missing = list[Service](), list[str]()
    for service in service_modules.services():
        if kind in service.kinds:
            try:
                added.append(service(app))
            except BadSetting as error:
                missing.append(str(error))
    if missing:
        raise BadSetting("\n".join(missing))
    for each in added:
        each.add_stack_dependency(after)
    return added
