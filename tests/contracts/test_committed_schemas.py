"""The shop's contracts keep what their schemas on file promise."""

from patchbay.events.catalogue import events
from patchbay.events.compatibility import problems


def test_the_committed_schemas_are_up_to_date() -> None:
    assert problems(events()) == []
