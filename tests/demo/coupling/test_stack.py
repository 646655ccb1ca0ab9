"""The request-response shop's template: checked as the app's are, and coupled as it says."""

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
    *WITHOUT_FULFILMENT,  # of a declined payment, the customer is told at once
    ("payments", "fulfilment"),
    ("fulfilment", "notifications"),
}


@pytest.fixture(scope="module", params=[False, True], ids=["as it was", "with fulfilment"])
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
    """Which step may invoke which."""
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
    """What its functions are made with."""
    return {
        (*(each.properties[key] for key in ("MemorySize", "Timeout", "Runtime")),
         *each.properties["Architectures"])
        for each in template.all("Lambda::Function")
    }  # fmt: skip


def test_each_step_may_invoke_those_that_it_waits_for_and_no_other(
    template: Template, fulfils: bool
) -> None:
    assert invocations(template) == (WITH_FULFILMENT if fulfils else WITHOUT_FULFILMENT)


def test_nothing_waits_in_a_queue_and_nothing_is_published(template: Template) -> None:
    assert not template.all("SQS::Queue")
    assert not template.all("Events::Rule")
    assert not any("events:PutEvents" in grant.actions for grant in template.grants())


def test_its_functions_are_made_as_the_apps_are(template: Template) -> None:
    assert shapes(template) == shapes(read(assembly("local"))["records-local-payments"])


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_no_stage_of_the_app_holds_it(stage: str) -> None:
    assert not any("coupling" in stack for stack in read(assembly(stage)))
