"""Search for a schedule that breaks an invariant: random, the same for the same seed, shortened."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from moto import mock_aws

from patchbay.testkit.exactly_once.player import play
from patchbay.testkit.exactly_once.schedule import Action, Step, schedules
from patchbay.testkit.invariants import Invariants
from patchbay.testkit.templates import Templates


def search(
    templates: Templates,
    invariants: Invariants[Any],
    *,
    examples: int,
    with_seed: int = 0,
    functions: Sequence[str] | None = None,
    on_failure: Callable[[list[Step]], object] = lambda schedule: None,
) -> None:
    """Play random schedules of the invariants' actions on a system.

    By default any function may fail, but for those that answer HTTP requests: an action that gets
    an error has no effect. Raises AssertionError for a schedule that breaks an invariant, after
    shortening it; pytest prints it in the form that `play` takes. `on_failure` is called with each
    schedule that fails, the shortest last.
    """

    def whatever_happens(schedule: list[Step]) -> None:
        try:
            play(templates, invariants, schedule)
        except AssertionError:
            on_failure(schedule)
            raise

    looking = settings(
        max_examples=examples,
        derandomize=False,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,  # each would be shrunk on its own
        suppress_health_check=list(HealthCheck),
    )
    actions: Sequence[Action] = invariants.actions()
    drawn = schedules(actions, breakable(templates) if functions is None else functions)
    # Within it, each cloud's own has only to forget what was there.
    with mock_aws():
        seed(with_seed)(looking(given(schedule=drawn)(whatever_happens)))()


def breakable(templates: Templates) -> list[str]:
    """Return the deployed functions that an event, a stream or a workflow invokes."""
    answering = {
        templates.function(each.properties["IntegrationUri"]).arn
        for each in templates.all("AWS::ApiGatewayV2::Integration")
    }
    return sorted(
        function.short_name
        for function in templates.functions.values()
        if function.arn not in answering
    )
