"""Has the functions of the embedded cloud fail by the type of what they raise, as on AWS.

MiniStack calls whatever a function raises Runtime.HandlerError, and leaves its type in the
traceback; a state machine's Retry and Catch go by the type.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

UNTYPED = "Runtime.HandlerError"

Answer = dict[str, Any]


def tell_error_types() -> None:
    """From now on, an answer's errorType is the name of the exception's class."""
    execute: Callable[..., Answer] = lambda_svc._execute_function_warm

    def execute_and_tell(*arguments: Any, **options: Any) -> Answer:
        return typed(execute(*arguments, **options))

    lambda_svc._execute_function_warm = execute_and_tell


def typed(answer: Answer) -> Answer:
    """The answer, with the type that the end of its traceback names."""
    body = answer.get("body")
    if not answer.get("error") or not isinstance(body, dict) or body["errorType"] != UNTYPED:
        return answer
    for line in reversed(str(answer.get("log", "")).splitlines()):
        name, _, said = line.partition(": ")
        if name.replace(".", "_").isidentifier() and body["errorMessage"].startswith(said):
            return {**answer, "body": {**body, "errorType": name.rpartition(".")[2]}}
    return answer
