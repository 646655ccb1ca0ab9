"""Error pages: a message in a box, never a traceback."""

from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from patchbay.console.views import page
from patchbay.errors import UserError
from patchbay.operations.failures import explain


def failed(request: Request, error: Exception) -> Response:
    """Answer a failed request with the reason."""
    return _response(request, HTTPStatus.BAD_GATEWAY, explain(error))


def refused(request: Request, error: Exception) -> Response:
    """Answer a request for a page that does not exist, or with a method that it does not allow."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    if status == HTTPStatus.NOT_FOUND:
        return _response(request, status, "There is no such page.")
    return _response(request, status, HTTPStatus(status).phrase + ".")


def broken(request: Request, error: Exception) -> Response:
    """Answer a request that failed because of a bug in the console."""
    message = (
        f"The console has a bug ({type(error).__name__}). "
        "Its log, on the terminal, has the traceback."
    )
    return _response(request, HTTPStatus.INTERNAL_SERVER_ERROR, message)


HANDLERS = {
    UserError: failed,
    BotoCoreError: failed,
    ClientError: failed,
    HTTPException: refused,
    Exception: broken,
}


def _response(request: Request, status: int, message: str) -> Response:
    """Return an error page, or, for a request by htmx, a box above the page's content."""
    if "HX-Request" not in request.headers:
        return page(request, "failed.html", status, message=message)
    answer = page(request, "_failed.html", status, message=message)
    answer.headers["HX-Retarget"] = "#notices"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer
