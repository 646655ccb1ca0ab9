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

    pass


def pause(
    consumer: ConsumerName,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Stop a consumer's deliveries; what comes waits in its queue, and nobody else notices.

    What it has in hand it finishes. The queue keeps a message for so long and no longer: until
    then, resume.

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
    """Let a consumer's deliveries go on, with what has waited.

    Example: patchbay resume notifications --stage local
    """
    _switch(consumer, stage, on=True, dry_run=dry_run, yes=yes, as_json=as_json)


def _switch(name: str, stage: str, *, on: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    from patchbay.operations import pause as pauses

    clients = Environment()
    found = pauses.delivery_state(clients, stage, name)
    is_so = found.is_stopped is not on
    if not is_so and stage == "prod" and not (yes or dry_run):
        raise UserError(f"That would {_effect(found, on=on)} If that is meant, add --yes.")
    state = found.state
    if not is_so and not dry_run:
        (pauses.resume if on else pauses.pause)(clients, stage, name)
    if not dry_run:
        with Console(stderr=True).status("waiting until Lambda has done it"):
            state = pauses.wait_until_settled(clients, stage, name)
    if (state == "Disabled") is on and not dry_run:
        raise UserError(f"Somebody has switched {name} at the same time: it is {state}.")
    if as_json:
        print(json.dumps(_as_json(found, state, changed=not (is_so or dry_run)), indent=2))
    elif is_so:
        print(f"{found.consumer.name} is {'not paused' if on else 'paused already'}.")
    elif dry_run:
        print(f"Would {_effect(found, on=on)}")
    else:
        print(_done(found, on=on))


def _effect(found: "DeliveryState", *, on: bool) -> str:
    name, waiting = found.consumer.name, _messages(found.waiting)
    if on:
        return f"have {name} handle what has waited, and what comes: {waiting} now."
    return (
        f"stop the deliveries to {name}: what comes waits in {_queue(found)}, which holds "
        f"{waiting} now and keeps each for {duration(found.kept.total_seconds())}; then it is lost."
    )


def _done(found: "DeliveryState", *, on: bool) -> str:
    name = found.consumer.name
    if on:
        return f"{name} goes on, with {_messages(found.waiting)} that waited."
    return (
        f"{name} is paused. What comes waits in {_queue(found)}, each for "
        f"{duration(found.kept.total_seconds())} at most; {_messages(found.waiting)} "
        f"{'is' if found.waiting == 1 else 'are'} in it.\n"
        f"`patchbay resume {name}` lets it go on."
    )


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
