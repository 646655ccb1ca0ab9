"""Rendering of templates to pages, with every value escaped."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from patchbay.project.project import project

TEMPLATES = Path(__file__).parent / "templates"

# Escapes every value, whatever the suffix of the template; an unknown name is an error.
_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Jinja's own filter raises where a text holds half of a surrogate pair.
_environment.filters["urlencode"] = lambda text: quote(str(text), safe="", errors="replace")


@dataclass(frozen=True)
class Link:
    """A link in the navigation."""

    path: str
    title: str
    only_local: bool = False


NAVIGATION = (
    Link("/", "Map"),
    Link("/journeys", "Journeys"),
    Link("/dead-letters", "Dead letters"),
    Link("/events", "Events"),
    Link("/break", "Break things", only_local=True),
)

PROJECT = "/project/"  # path of the pages that the project adds


def page(
    request: Request, template: str, status: int = HTTPStatus.OK, **context: Any
) -> HTMLResponse:
    """Render a page, or a part of one for htmx, as a response."""
    text = rendered(template, **_surroundings(request), **context)
    return HTMLResponse(text.encode(errors="replace"), status)


def rendered(template: str, **context: Any) -> str:
    """Render a template with these values."""
    return _environment.get_template(template).render(context)


def refused(why: str) -> str:
    """Render the page for a refused request, without links and token."""
    return rendered("refused.html", why=why)


def _surroundings(request: Request) -> dict[str, Any]:
    """Return the values that base.html needs."""
    shown = request.app.state.deployment
    links = [link for link in NAVIGATION if shown.is_local or not link.only_local]
    own = shown.additions.pages if shown.additions else ()
    links += [Link(f"{PROJECT}{quote(each.id)}", each.title) for each in own]
    path = request.url.path
    return {
        "project": project().name,
        "stage": shown.stage,
        "here": path if path.startswith(PROJECT) else "/" + path.split("/")[1],
        "navigation": links,
        "token": request.app.state.keys.change,
    }
