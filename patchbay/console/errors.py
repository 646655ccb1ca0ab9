"""Error pages: a sentence in a box, never a traceback."""

from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.failures import explain


def failed(request: Request, error: Exception) -> Response:
    """Answer a request that failed with the reason."""
    return _shown(request, HTTPStatus.BAD_GATEWAY, explain(error))


def refused(request: Request, error: Exception) -> Response:
    """Answer a request for a page that does not exist, or with a method it does not take."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    if status == HTTPStatus.NOT_FOUND:
        return _shown(request, status, "There is no such page.")
    return _shown(request, status, HTTPStatus(status).phrase + ".")


def broken(request: Request, error: Exception) -> Response:
    """Answer a request that failed for a bug in the console: its log has the traceback."""
    said = f"The console made a mistake ({type(error).__name__}); its log says where."
    return _shown(request, HTTPStatus.INTERNAL_SERVER_ERROR, said)


HANDLERS = {
    UserError: failed,
    BotoCoreError: failed,
    ClientError: failed,
    HTTPException: refused,
    Exception: broken,
}


def _shown(request: Request, status: int, said: str) -> Response:
    """Return a page; or, where htmx asked for a part of one, a box above the page's content."""
    if "HX-Request" not in request.headers:
        return page(request, "failed.html", status, said=said)
    answer = page(request, "_failed.html", status, said=said)
    answer.headers["HX-Retarget"] = "#notices"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer
