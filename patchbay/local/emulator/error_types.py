"""Error types in the embedded cloud: a function fails with the type of its exception, as on AWS.

MiniStack reports every exception as Runtime.HandlerError, and has its type in the traceback only;
a state machine's Retry and Catch match the type.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

UNTYPED = "Runtime.HandlerError"

Answer = dict[str, Any]


def report_error_types() -> None:
    """Patch MiniStack so that an answer's errorType is the name of the exception's class."""
    execute: Callable[..., Answer] = lambda_svc._execute_function_warm

    def execute_with_type(*arguments: Any, **options: Any) -> Answer:
        return typed(execute(*arguments, **options))

    lambda_svc._execute_function_warm = execute_with_type


def typed(answer: Answer) -> Answer:
    """Return the answer with the type that the last line of its traceback names."""
    body = answer.get("body")
    if not answer.get("error") or not isinstance(body, dict) or body["errorType"] != UNTYPED:
        return answer
    for line in reversed(str(answer.get("log", "")).splitlines()):
        name, _, message = line.partition(": ")
        if name.replace(".", "_").isidentifier() and body["errorMessage"].startswith(message):
            return {**answer, "body": {**body, "errorType": name.rpartition(".")[2]}}
    return answer
