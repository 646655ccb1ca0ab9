"""The request-response shop's template: guarded as the app's templates are, and coupled."""

import pytest

from demo.coupling.stack import RequestResponse
from patchbay.guardrails.guard import guard
from patchbay.topology.template import Template, read, texts
from tests.patchbay.apps import app_for
from tests.synthesis import assembly

WITHOUT_FULFILMENT = {
    ("orders", "payments"),
    ("payments", "notifications"),
}
WITH_FULFILMENT = {
    *WITHOUT_FULFILMENT,  # payments calls notifications itself for a declined payment
    ("payments", "fulfilment"),
    ("fulfilment", "notifications"),
}


@pytest.fixture(scope="module", params=[False, True], ids=["without fulfilment", "with fulfilment"])
def fulfils(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def template(fulfils: bool, tmp_path_factory: pytest.TempPathFactory) -> Template:
    out = tmp_path_factory.mktemp("coupling")
    app = app_for("local", out)
    RequestResponse(app, fulfils=fulfils)
    guard(app)  # raises where a guardrail or cdk-nag finds something
    (found,) = read(out).values()
    return found


def invocations(template: Template) -> set[tuple[str, str]]:
    """Return the pairs of steps of which the first may invoke the second."""
    functions = template.all("Lambda::Function")
    steps = {each.id: each.name.rpartition("-")[2] for each in functions}
    roles = {template.at(each.properties["Role"]).id: steps[each.id] for each in functions}
    return {
        (roles[grant.role.id], steps[text])
        for grant in template.grants()
        if "lambda:InvokeFunction" in grant.actions
        for text in texts(grant.statement["Resource"])
        if text in steps
    }


def shapes(template: Template) -> set[tuple[object, ...]]:
    """Return the sizes, timeouts, runtimes and architectures of its functions."""
    return {
        (*(each.properties[key] for key in ("MemorySize", "Timeout", "Runtime")),
         *each.properties["Architectures"])
        for each in template.all("Lambda::Function")
    }  # fmt: skip


def test_each_step_may_invoke_only_the_steps_that_it_waits_for(
    template: Template, fulfils: bool
) -> None:
    assert invocations(template) == (WITH_FULFILMENT if fulfils else WITHOUT_FULFILMENT)


def test_it_has_no_queues_no_rules_and_no_publishers(template: Template) -> None:
    assert not template.all("SQS::Queue")
    assert not template.all("Events::Rule")
    assert not any("events:PutEvents" in grant.actions for grant in template.grants())


def test_its_functions_are_configured_like_the_apps(template: Template) -> None:
    assert shapes(template) == shapes(read(assembly("local"))["records-local-payments"])


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_no_stage_of_the_app_has_it(stage: str) -> None:
    assert not any("coupling" in stack for stack in read(assembly(stage)))
