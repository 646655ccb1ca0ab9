"""Tests that hold for every system built with Patchbay.

A project adds them with one line in its `tests/test_system.py`:

    from patchbay.testkit.system_tests import *  # noqa: F403

They use the fixtures `templates` and `cloud`, and are parametrized by the events of the project's
contracts, so a new event, consumer or service needs no new test.
"""

from patchbay.testkit.system_tests.arrows import test_imports_point_one_way
from patchbay.testkit.system_tests.parametrize import pytest_generate_tests
from patchbay.testkit.system_tests.recovery import (
    test_dead_letters_can_be_redriven,
    test_undelivered_events_can_be_redriven,
)
from patchbay.testkit.system_tests.routing import (
    test_an_event_goes_to_the_consumers_that_take_it_and_to_no_other,
    test_an_event_under_another_services_source_goes_to_no_consumer,
    test_every_consumer_is_routed,
    test_every_event_has_a_publisher_and_a_consumer,
    test_every_handler_agrees_with_its_stack,
    test_nearly_an_event_goes_to_no_consumer,
)

__all__ = [
    "pytest_generate_tests",
    "test_an_event_goes_to_the_consumers_that_take_it_and_to_no_other",
    "test_an_event_under_another_services_source_goes_to_no_consumer",
    "test_dead_letters_can_be_redriven",
    "test_every_consumer_is_routed",
    "test_every_event_has_a_publisher_and_a_consumer",
    "test_every_handler_agrees_with_its_stack",
    "test_imports_point_one_way",
    "test_nearly_an_event_goes_to_no_consumer",
    "test_undelivered_events_can_be_redriven",
]
