"""Makes pages of templates; whatever is put into one is escaped."""

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

# Every value is escaped, whatever the template is called; a name that is unknown is an error.
_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Jinja's own raises where an event holds half a character.
_environment.filters["urlencode"] = lambda text: quote(str(text), safe="", errors="replace")


@dataclass(frozen=True)
class Link:
    """A page in the navigation."""

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

PROJECT = "/project/"  # where the project's own pages are


def page(
    request: Request, template: str, status: int = HTTPStatus.OK, **context: Any
) -> HTMLResponse:
    """Render a whole page, whose template extends base.html, or a part of one, for htmx."""
    text = rendered(template, **_surroundings(request), **context)
    return HTMLResponse(text.encode(errors="replace"), status)


def rendered(template: str, **context: Any) -> str:
    """Render a template with these values."""
    return _environment.get_template(template).render(context)


def refused(why: str) -> str:
    """Render the page for a request that is refused: it has no links and no token."""
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
