"""Plug in: a new consumer changes no existing template, and without one, the others continue."""

import re
from pathlib import Path

import pytest

from patchbay.testkit.templates import Templates
from tests.shop import Shop
from tests.trees import copy_of_the_project, made_once, run

# Consumers that differ in what they listen to, and in what they ask for.
NEW = {
    "on-orders": "OrderPlaced",
    "on-payments": "PaymentTaken",
    "on-declines": "PaymentDeclined",
    "on-orders-and-payments": "OrderPlaced,PaymentTaken",
    "on-orders-and-declines": "OrderPlaced,PaymentDeclined",
    "on-outcomes": "PaymentTaken,PaymentDeclined",
    "on-everything": "OrderPlaced,PaymentTaken,PaymentDeclined",
    "one-by-one": "OrderPlaced",
    "in-no-hurry": "OrderPlaced",
    "with-a-table": "PaymentTaken",
    "with-a-filter": "OrderPlaced",
    "in-order": "OrderPlaced",
}
OPTIONS = {
    "one-by-one": "tuning=Tuning(batch_size=1, attempts=3)",
    "in-no-hurry": "tuning=Tuning(timeout=Duration.minutes(5))",
    "with-a-table": 'environment={"TABLE": self.table("with-a-table", key="id").table_name}',
    "with-a-filter": 'where={"amount": at_least(100)}',
    "in-order": 'ordered_by="customer_id"',
}
EXISTING = {f"records-dev-{name}" for name in ("broker", "notifications", "orders", "payments")}


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each new consumer, with the templates that are made with it alone beside the
    existing ones; and `none`, with those that are made without any."""
    return made_once(tmp_path_factory, "plugged-in", synthesize_each) / "build" / "plugged-in"


def synthesize_each(root: Path) -> None:
    """Write the templates to `build/plugged-in`, in a copy of the project."""
    copy_of_the_project(root)
    written = run(root, "tests.plugged_in", "--add", *(f"{name}={on}" for name, on in NEW.items()))
    assert written.returncode == 0, written.stderr
    for name, options in OPTIONS.items():
        stack = root / "stacks" / f"{name.replace('-', '_')}.py"
        text = re.sub(r"(on=\[\w+\])", rf"\1, {options}", stack.read_text())
        imports = "from aws_cdk import Duration\nfrom patchbay.constructs import Tuning, at_least\n"
        stack.write_text(text.replace("\n\nfrom", f"\n\n{imports}from", 1))
    synthesized = run(root, "tests.plugged_in", str(root / "build" / "plugged-in"), *NEW)
    assert synthesized.returncode == 0, synthesized.stderr


def template_files(assembly: Path) -> dict[str, bytes]:
    return {
        path.name.removesuffix(".template.json"): path.read_bytes()
        for path in assembly.glob("*.template.json")
    }


@pytest.mark.parametrize("name", NEW)
def test_a_new_consumer_changes_no_template_by_a_byte(name: str, assemblies: Path) -> None:
    before, after = template_files(assemblies / "none"), template_files(assemblies / name)
    assert set(before) >= EXISTING
    assert set(after) - set(before) == {f"records-dev-{name}"}
    assert {stack: after[stack] for stack in before} == before


def test_the_new_consumers_differ(assemblies: Path) -> None:
    new = [template_files(assemblies / name)[f"records-dev-{name}"] for name in NEW]
    names = [name.encode() for name in NEW]
    alike = {text.replace(name, b"").replace(name.replace(b"-", b""), b"") for text, name in
             zip(new, names, strict=True)}  # fmt: skip
    assert len(alike) == len(NEW)


@pytest.mark.parametrize("stack", ["notifications", "payments"])
def test_without_one_consumer_the_others_receive_their_events(
    stack: str, templates: Templates
) -> None:
    left = {n: body for n, body in templates.bodies.items() if n != f"records-dev-{stack}"}
    with Shop(templates.with_bodies(left)) as cloud:
        order = cloud.place_order()
        cloud.settle()
        others = {"payments", "notifications"} - {stack}
        for consumer in others:
            assert cloud.handled(consumer) == [order.event_id]
        assert stack not in cloud.consumers
        assert cloud.lost == []
        assert cloud.order(order.order_id).status == (
            "shipped" if "payments" in others else "placed"
        )


def test_without_orders_status_orders_are_still_charged_and_mailed(
    templates: Templates,
) -> None:
    template_files = dict(templates.bodies)
    orders = template_files["records-dev-orders"]
    resources = {
        logical_id: resource
        for logical_id, resource in orders["Resources"].items()
        if not logical_id.startswith("Status")
    }
    template_files["records-dev-orders"] = {**orders, "Resources": resources}
    with Shop(templates.with_bodies(template_files)) as cloud:
        order = cloud.place_order()
        cloud.settle()
        assert "orders-status" not in cloud.consumers
        assert [entry["order_id"] for entry in cloud.ledger()] == [order.order_id]
        assert cloud.mails_to(order.customer_id) == ["Order placed"]
