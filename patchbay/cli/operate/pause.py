"""`patchbay pause` and `patchbay resume`."""

import json
from typing import TYPE_CHECKING, Any

from rich.console import Console

from patchbay.cli.options import ConsumerName, DryRun, Json, Stage, Yes
from patchbay.errors import UserError
from patchbay.operations.clients import Environment
from patchbay.operations.formatting import count, duration

if TYPE_CHECKING:
    from patchbay.operations.pause import DeliveryState


def pause(
    consumer: ConsumerName,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Stop a consumer's deliveries: new messages wait in its queue.

    Messages in flight are finished, and no other consumer is affected. The queue deletes a message
    at the end of its retention period: resume the consumer before.

    Example: patchbay pause notifications --stage local
    """
    _switch(consumer, stage, on=False, dry_run=dry_run, yes=yes, as_json=as_json)


def resume(
    consumer: ConsumerName,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Start a consumer's deliveries again, with the messages that wait in its queue.

    Example: patchbay resume notifications --stage local
    """
    _switch(consumer, stage, on=True, dry_run=dry_run, yes=yes, as_json=as_json)


def _switch(name: str, stage: str, *, on: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    from patchbay.operations import pause as pauses

    clients = Environment()
    found = pauses.delivery_state(clients, stage, name)
    is_done = found.is_stopped is not on
    if not is_done and stage == "prod" and not (yes or dry_run):
        raise UserError(f"That would {_effect(found, on=on)} To do it, add --yes.")
    state = found.state
    if not is_done and not dry_run:
        (pauses.resume if on else pauses.pause)(clients, stage, name)
    if not dry_run:
        with Console(stderr=True).status("waiting until Lambda has done it"):
            state = pauses.wait_until_settled(clients, stage, name)
    if (state == "Disabled") is on and not dry_run:
        raise UserError(
            f"Somebody else has paused or resumed {name} at the same time: its event source "
            f"mapping is {state}. `patchbay status` shows its state."
        )
    if as_json:
        print(json.dumps(_as_json(found, state, changed=not (is_done or dry_run)), indent=2))
    elif is_done:
        print(f"{found.consumer.name} is {'not paused' if on else 'paused already'}.")
    elif dry_run:
        print(f"Would {_effect(found, on=on)}")
    else:
        print(_done(found, on=on))


def _effect(found: "DeliveryState", *, on: bool) -> str:
    name, waiting = found.consumer.name, _messages(found.waiting)
    if on:
        return f"start the deliveries to {name} again: its queue holds {waiting} now."
    return (
        f"stop the deliveries to {name}: new messages wait in {_queue(found)}, which holds "
        f"{waiting} now and keeps each for {_retention(found)}; then it is lost."
    )


def _done(found: "DeliveryState", *, on: bool) -> str:
    name = found.consumer.name
    if on:
        return f"{name} is resumed: its queue holds {_messages(found.waiting)}."
    return (
        f"{name} is paused. New messages wait in {_queue(found)}, which holds "
        f"{_messages(found.waiting)} and keeps each for {_retention(found)}.\n"
        f"To resume it: `patchbay resume {name}`."
    )


def _retention(found: "DeliveryState") -> str:
    return duration(found.kept.total_seconds())


def _queue(found: "DeliveryState") -> str:
    from patchbay.operations.pause import queue_name

    return queue_name(found.consumer)


def _messages(number: int) -> str:
    return f"{count(number)} message{'' if number == 1 else 's'}"


def _as_json(found: "DeliveryState", state: str, *, changed: bool) -> dict[str, Any]:
    return {
        "consumer": found.consumer.name,
        "queue": _queue(found),
        "state": state,
        "changed": changed,
        "waiting": found.waiting,
        "kept_seconds": found.kept.total_seconds(),
    }
