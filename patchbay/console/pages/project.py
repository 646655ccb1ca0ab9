"""Pages that the project adds to the console of its local stage."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patchbay.console.deployment import deployment
from patchbay.console.views import page


async def show(request: Request) -> Response:
    """Show one of the project's pages."""
    additions = deployment(request).additions
    for each in additions.pages if additions else ():
        if each.id == request.path_params["id"]:
            content = await run_in_threadpool(each.content)
            return page(request, "project.html", title=each.title, body=content)
    raise HTTPException(404)


routes = [Route("/project/{id}", show)]
