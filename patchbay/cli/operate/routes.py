"""`patchbay routes`."""

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import Environment
from patchbay.operations.escape import escape

if TYPE_CHECKING:
    from patchbay.operations.routes import PublisherRoutes, Routes
    from patchbay.topology.routes import Route, Subscription


def routes(stage: Stage = "dev", as_json: Json = False) -> None:
    """Show the publishers, their events, and the consumers of each event.

    Example: patchbay routes --stage local
    """
    from patchbay.operations.routes import routes as deployed

    found = deployed(Environment(), stage)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    console = Console()
    for each in [*map(_publisher, found.publishers), *_rest(found)]:
        console.print(each)


def _publisher(routes: "PublisherRoutes") -> Tree:
    publisher = routes.publisher
    about = " ← " + ", ".join(map(escape, routes.triggers)) if routes.triggers else ""
    tree = Tree(
        Text.assemble((escape(publisher.name), "bold"), (f"  {publisher.kind}{about}", "dim")),
        guide_style="dim",
    )
    for route in routes.routes:
        _add(tree, route)
    return tree


def _add(tree: Tree, route: "Route") -> None:
    branch = tree.add(Text(route.event.detail_type(), style="cyan"))
    if not route.subscriptions:
        branch.add(Text("no consumer", style="yellow"))
    elif not route.own_subscriptions:
        names = ", ".join(escape(each.consumer) for each in route.subscriptions)
        branch.add(Text(f"no consumer but {names}", style="yellow"))
    else:
        for subscription in route.subscriptions:
            branch.add(_subscription(subscription))


def _subscription(to: "Subscription") -> Text:
    about = [f"where {to.condition}"] if to.condition else []
    about += ["in order"] if to.in_order else []
    about += ["every event"] if to.takes_everything else []
    style = "dim" if to.takes_everything else ""
    details = f"  {escape(', '.join(about))}" if about else ""
    return Text.assemble((f"→ {escape(to.consumer)}", style), (details, "dim"))


def _rest(found: "Routes") -> list[Tree]:
    """Render the events without a publisher, and the functions that publish nothing."""
    trees = []
    if found.unpublished:
        tree = Tree(Text("no publisher", style="yellow"), guide_style="dim")
        for route in found.unpublished:
            _add(tree, route)
        trees.append(tree)
    for name, triggers in found.others.items():
        about = ", ".join(map(escape, triggers))
        trees.append(Tree(Text.assemble((escape(name), "bold"), (f"  ← {about}", "dim"))))
    return trees
