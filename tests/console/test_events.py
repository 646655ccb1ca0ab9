"""The page "Events"."""

import pytest

from patchbay.events.catalogue import events
from patchbay.topology.template import read
from tests.operations.test_templates import CloudFormation
from tests.patchbay.console.conftest import Open
from tests.synthesis import assembly


@pytest.fixture
def deployed() -> CloudFormation:
    return CloudFormation(read(assembly("dev")))


def test_every_event_is_shown_with_its_publishers_and_consumers(
    browse: Open, deployed: CloudFormation
) -> None:
    page = browse(deployed).get("/events").text
    assert all(f'id="{name}"' in page for name in events())
    placed = page.partition('<section class="card" id="OrderPlaced"')[2].partition("</section>")[0]
    for part in ("orders-outbox", "/consumers/payments", "every event", "if amount = 0", "items"):
        assert part in placed


def test_an_example_is_shown_in_the_form_that_publish_takes(
    browse: Open, deployed: CloudFormation
) -> None:
    page = browse(deployed).get("/events").text
    assert "&#34;type&#34;: &#34;OrderPlaced&#34;" in page


def test_without_a_deployment_the_contracts_are_shown_without_publishers_and_consumers(
    browse: Open,
) -> None:
    page = browse(CloudFormation({}), stage="prod").get("/events").text
    assert 'id="OrderPlaced"' in page
    assert "not known" in page or "from the last synth" in page
