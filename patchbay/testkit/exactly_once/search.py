"""A random search for a schedule that breaks an invariant, repeatable by its seed."""

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

    By default, any function may fail except those that respond to HTTP requests, because an action
    that gets an error has no effect. Raise AssertionError for a schedule that breaks an invariant,
    after shortening it; pytest prints it in a form that `play` accepts. `on_failure` is called with
    each schedule that fails, the shortest last.
    """

    def each_schedule(schedule: list[Step]) -> None:
        try:
            play(templates, invariants, schedule)
        except AssertionError:
            on_failure(schedule)
            raise

    search_settings = settings(
        max_examples=examples,
        derandomize=False,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,  # Hypothesis would shorten each separately
        suppress_health_check=list(HealthCheck),
    )
    actions: Sequence[Action] = invariants.actions()
    drawn = schedules(actions, breakable(templates) if functions is None else functions)
    # Within this one, each cloud's own mock_aws only resets the state.
    with mock_aws():
        seed(with_seed)(search_settings(given(schedule=drawn)(each_schedule)))()


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
