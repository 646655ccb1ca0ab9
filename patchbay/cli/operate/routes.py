"""`patchbay routes`."""

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import Environment
from patchbay.operations.escape import visible

if TYPE_CHECKING:
    from patchbay.operations.routes import Listener, Outlet, Producer, Routes


def routes(stage: Stage = "dev", as_json: Json = False) -> None:
    """Draw who publishes what, and who gets it.

    Example: patchbay routes --stage local
    """
    from patchbay.operations.routes import routes as deployed

    found = deployed(Environment(), stage)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    console = Console()
    for each in [*map(_producer, found.producers), *_rest(found)]:
        console.print(each)


def _producer(producer: "Producer") -> Tree:
    about = " ← " + ", ".join(map(visible, producer.starts)) if producer.starts else ""
    tree = Tree(
        Text.assemble((visible(producer.name), "bold"), (f"  {producer.kind}{about}", "dim")),
        guide_style="dim",
    )
    for outlet in producer.outlets:
        _grow(tree, outlet)
    return tree


def _grow(tree: Tree, outlet: "Outlet") -> None:
    branch = tree.add(Text(outlet.type, style="cyan"))
    if not outlet.listeners:
        branch.add(Text("heard by nobody", style="yellow"))
    elif not outlet.is_heard:
        taps = ", ".join(visible(each.subscription.consumer) for each in outlet.taps)
        branch.add(Text(f"heard by nobody but {taps}", style="yellow"))
    else:
        for listener in outlet.listeners:
            branch.add(_listener(listener))


def _listener(listener: "Listener") -> Text:
    to = listener.subscription
    about = [f"where {to.condition}"] if to.condition else []
    about += ["in order"] if listener.ordered else []
    about += ["whatever there is"] if to.taps else []
    style = "dim" if to.taps else ""
    told = f"  {visible(', '.join(about))}" if about else ""
    return Text.assemble((f"→ {visible(to.consumer)}", style), (told, "dim"))


def _rest(found: "Routes") -> list[Tree]:
    """What nobody publishes, and what is set going without an event and publishes none."""
    trees = []
    if found.unpublished:
        tree = Tree(Text("published by nobody", style="yellow"), guide_style="dim")
        for outlet in found.unpublished:
            _grow(tree, outlet)
        trees.append(tree)
    for name, starts in found.others.items():
        about = ", ".join(map(visible, starts))
        trees.append(Tree(Text.assemble((visible(name), "bold"), (f"  ← {about}", "dim"))))
    return trees
