"""Routes are read from templates: each event's publishers and subscriptions."""

from typing import Any

import pytest

from patchbay.events.event import Event
from patchbay.project.naming import named
from patchbay.topology.routes import Route, in_words, owner, routes
from patchbay.topology.template import Template


class ReadingTaken(Event):
    """A sensor has measured the temperature."""

    sensor_id: str
    celsius: float


class AlertRaised(Event):
    """A reading was out of bounds."""

    sensor_id: str


def at(id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [id, "Arn"]}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def template(service: str, **resources: dict[str, Any]) -> Template:
    return Template(named("dev", service), {"Resources": resources})


def publisher(*events: type[Event], name: str = "sensors", **condition: Any) -> dict[str, Any]:
    """Return the resources of a function that may publish these events."""
    keys = {
        "events:source": [event.source() for event in events],
        "events:detail-type": [event.detail_type() for event in events],
    }
    statement = {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": "*",
        **({"Condition": {"StringEquals": keys}} if events else condition),
    }
    return {
        "Publisher": resource("Lambda::Function", FunctionName=named("dev", name), Role=at("Role")),
        "Role": resource("IAM::Role"),
        "Policy": resource(
            "IAM::Policy", Roles=[{"Ref": "Role"}], PolicyDocument={"Statement": [statement]}
        ),
    }


def consumer(name: str, **pattern: Any) -> dict[str, Any]:
    """Return the resources of a consumer, and of a rule with that pattern."""
    return {
        "Function": resource("Lambda::Function", FunctionName=named("dev", name)),
        "Queue": resource("SQS::Queue", QueueName=named("dev", name)),
        "Mapping": resource(
            "Lambda::EventSourceMapping",
            EventSourceArn=at("Queue"),
            FunctionName={"Ref": "Function"},
        ),
        "Rule": resource(
            "Events::Rule",
            Name=named("dev", f"{name}-rule"),
            EventPattern=pattern,
            Targets=[{"Id": "Target", "Arn": at("Queue")}],
        ),
    }


def route(event: type[Event], *templates: Template) -> Route:
    (found,) = routes({each.stack: each for each in templates}, [event])
    return found


SOURCE, READING = ReadingTaken.source(), ReadingTaken.detail_type()
SENSORS = template("sensors", **publisher(ReadingTaken))
TO_READINGS: dict[str, Any] = {"source": [SOURCE], "detail-type": [READING]}


def test_a_route_has_the_publishers_and_the_subscriptions_of_an_event() -> None:
    found = route(ReadingTaken, SENSORS, template("alerts", **consumer("alerts", **TO_READINGS)))
    assert [(each.name, each.service, each.kind) for each in found.publishers] == [
        ("sensors", "sensors", "function")
    ]
    (subscription,) = found.subscriptions
    assert (subscription.consumer, subscription.service) == ("alerts", "alerts")
    assert [rule.name for rule in subscription.rules] == [named("dev", "alerts-rule")]
    assert not subscription.is_filtered
    assert not subscription.takes_everything
    assert not subscription.in_order


def test_an_event_that_nobody_publishes_or_consumes_has_an_empty_route() -> None:
    found = route(AlertRaised, SENSORS, template("alerts", **consumer("alerts", **TO_READINGS)))
    assert found.publishers == ()
    assert found.subscriptions == ()


def test_a_function_that_may_publish_any_event_is_a_publisher_of_each() -> None:
    found = route(AlertRaised, template("sensors", **publisher()))
    assert [each.name for each in found.publishers] == ["sensors"]


def test_a_filtered_subscription_has_its_filter() -> None:
    hot = {"data": {"celsius": [{"numeric": [">", 30]}]}}
    found = route(ReadingTaken, template("alerts", **consumer("alerts", **TO_READINGS, detail=hot)))
    (subscription,) = found.subscriptions
    assert subscription.is_filtered
    assert subscription.condition == "celsius > 30"


def test_a_consumer_of_all_events_is_not_among_an_events_own_subscriptions() -> None:
    found = route(ReadingTaken, template("notes", **consumer("notes", source=[SOURCE])))
    (subscription,) = found.subscriptions
    assert subscription.takes_everything
    assert found.own_subscriptions == ()


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        ([{"numeric": [">", 30]}], "celsius > 30"),
        ([{"numeric": [">=", 0, "<", 5]}], "celsius >= 0 and < 5"),
        (["hot"], 'celsius is "hot"'),
        ([{"exists": False}], 'celsius matches [{"exists": false}]'),
    ],
)
def test_a_filter_is_formatted_in_words(tests: list[Any], words: str) -> None:
    assert in_words([{"celsius": tests}]) == words


def test_a_service_of_several_words_owns_the_module_of_the_same_name() -> None:
    namespace = SOURCE.partition(".")[0]
    assert owner(f"{namespace}.soil_moisture") == "soil-moisture"
