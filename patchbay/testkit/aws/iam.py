"""IAM: it evaluates the policies of roles and of resources."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from patchbay.testkit.errors import NotInTheKit

Statement = Mapping[str, Any]
Context = Mapping[str, Sequence[str]]

_OPERATORS = {"StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool"}
_UNKNOWN = ("NotAction", "NotResource", "NotPrincipal")


@dataclass(frozen=True)
class Call:
    """A request to AWS: an action on a resource, with the context of its conditions."""

    action: str
    resource: str
    context: Context


def allows(statements: Iterable[Statement], call: Call) -> bool:
    """Return whether one statement allows a call and none denies it, which is IAM's rule.

    Raise NotInTheKit if the result depends on a policy that the kit can't read.
    """
    statements = list(statements)
    effects = {
        each["Effect"]
        for each in statements
        if each["Effect"] != "Unreadable" and _concerns(each, call)
    }
    if not effects:
        for each in statements:
            if each["Effect"] == "Unreadable":
                raise NotInTheKit(
                    f"Whether {call.action} on {call.resource} is allowed depends on "
                    f"{each['What']}: add the permission to the role as well, or test this on AWS."
                )
    return "Allow" in effects and "Deny" not in effects


def allows_service(statements: Iterable[Statement], service: str, call: Call) -> bool:
    """Return whether a resource's policy allows a service a call."""
    return allows((each for each in statements if _names(each, service)), call)


def _concerns(statement: Statement, call: Call) -> bool:
    for field in _UNKNOWN:
        if field in statement:
            raise NotInTheKit(f"A policy statement has {field}, which the kit can't evaluate.")
    return (
        any(_like(pattern, call.action, fold=True) for pattern in _list(statement["Action"]))
        and any(_like(pattern, call.resource) for pattern in _list(statement["Resource"]))
        and all(
            _holds(operator, key, _list(wanted), call.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, key: str, wanted: Sequence[Any], context: Context) -> bool:
    name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    if name not in _OPERATORS:
        raise NotInTheKit(f"A policy's condition uses {operator}, which the kit can't evaluate.")
    present = context.get(key)
    if present is None:
        return if_exists
    match name:
        case "StringEquals":
            return any(value in wanted for value in present)
        case "StringLike" | "ArnEquals" | "ArnLike":
            return any(_like(pattern, value) for pattern in wanted for value in present)
        case _:  # Bool
            return any(str(each).lower() in present for each in wanted)


def _names(statement: Statement, service: str) -> bool:
    if statement["Effect"] == "Unreadable":
        return True
    principal = statement.get("Principal", {})
    if principal == "*":
        return True
    return service in _list(principal.get("Service", [])) or "*" in _list(principal.get("AWS", []))


def _like(pattern: str, text: str, *, fold: bool = False) -> bool:
    return _expression(pattern.lower() if fold else pattern).fullmatch(
        text.lower() if fold else text
    ) is not None  # fmt: skip


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(each, re.escape(each)) for each in pattern), re.DOTALL)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def assumes(policy: Mapping[str, Any], service: str, context: Context) -> bool:
    """Return whether a role's trust policy lets a service assume it in that context."""
    statements = [{**each, "Resource": "*"} for each in policy["Statement"]]
    return allows_service(statements, service, Call("sts:AssumeRole", "*", context))


def allows_role(policy: Mapping[str, Any], service: str) -> bool:
    """Return whether a role's trust policy lets a service assume it, in any context."""
    return any(
        statement["Effect"] == "Allow"
        and "sts:AssumeRole" in _list(statement["Action"])
        and service in _list(statement["Principal"].get("Service", []))
        for statement in policy["Statement"]
    )
