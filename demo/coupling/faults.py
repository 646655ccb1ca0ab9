"""The faults: each affects one service, on both sides at once and by the same means."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3

from demo.coupling.shops import Shops
from demo.settings import MAIL_FROM

SLOWNESS = 2.0  # seconds: the delay in the mode `slow`
DENIAL = "coupling-fault"  # the name of the policy that denies


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault that can begin and end."""

    service: str
    kind: str
    what: str
    begin: Callable[[], None]
    end: Callable[[], None]


def no_fault() -> Fault:
    """Return the fault of the baseline, which breaks nothing."""

    def nothing() -> None: ...

    return Fault(service="none", kind="none", what="nothing is broken", begin=nothing, end=nothing)


def faults(shops: Shops, decline_above: str) -> list[Fault]:
    """Return the baseline, then each fault that both sides can have by the same means."""
    provider = _Provider(shops, decline_above)
    ses = shops.cloud.client("sesv2")

    def slow_mail(seconds: float) -> Callable[[], None]:
        return lambda: setattr(shops.mail_gate, "delay", seconds)

    found = [
        no_fault(),
        Fault(
            service="payments",
            kind="slow",
            what=f"the provider takes {SLOWNESS:g} s",
            begin=lambda: provider.behave("slow"),
            end=lambda: provider.behave("ok"),
        ),
        Fault(
            service="payments",
            kind="down",
            what="the provider answers 503",
            begin=lambda: provider.behave("down"),
            end=lambda: provider.behave("ok"),
        ),
        _throttle(shops, "payments"),
        Fault(
            service="notifications",
            kind="slow",
            what=f"SES takes {SLOWNESS:g} s",
            begin=slow_mail(SLOWNESS),
            end=slow_mail(0.0),
        ),
        Fault(
            service="notifications",
            kind="down",
            what="SES refuses the sender",
            begin=lambda: ses.delete_email_identity(EmailIdentity=MAIL_FROM),
            end=lambda: ses.create_email_identity(EmailIdentity=MAIL_FROM),
        ),
        _throttle(shops, "notifications"),
    ]
    if shops.fulfils:
        found += [_deny_tables(shops, "fulfilment"), _throttle(shops, "fulfilment")]
    return found


class _Provider:
    """The payment provider, which both sides use."""

    def __init__(self, shops: Shops, decline_above: str) -> None:
        self._url = f"{shops.provider_url}/behaviour"
        self._limit = decline_above
        self._http = urllib3.PoolManager(ca_certs=str(shops.cloud.ca_path))

    def behave(self, mode: str) -> None:
        self._http.request("PUT", self._url, json={"mode": mode, "decline_above": self._limit})


def _throttle(shops: Shops, service: str) -> Fault:
    lambda_ = shops.cloud.client("lambda")
    names = [name for side in shops.sides for name in side.functions[service]]

    def begin() -> None:
        for name in names:
            lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    def end() -> None:
        for name in names:
            lambda_.delete_function_concurrency(FunctionName=name)

    return Fault(
        service=service,
        kind="throttled",
        what="reserved concurrency is 0",
        begin=begin,
        end=end,
    )


def _deny_tables(shops: Shops, service: str) -> Fault:
    iam = shops.cloud.client("iam")
    roles = [role for side in shops.sides for role in _roles(shops, side.functions[service])]
    statement = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def begin() -> None:
        for role in roles:
            iam.put_role_policy(RoleName=role, PolicyName=DENIAL, PolicyDocument=document)

    def end() -> None:
        for role in roles:
            iam.delete_role_policy(RoleName=role, PolicyName=DENIAL)

    return Fault(
        service=service,
        kind="down",
        what="no access to its tables",
        begin=begin,
        end=end,
    )


def _roles(shops: Shops, functions: list[str]) -> list[str]:
    lambda_: Any = shops.cloud.client("lambda")
    arns = [lambda_.get_function_configuration(FunctionName=name)["Role"] for name in functions]
    return [arn.rpartition("/")[2] for arn in arns]
