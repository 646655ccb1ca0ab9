"""The faults that a test can inject, and the register of those that are active."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

NEVER = float("inf")

Action = Callable[[], None]


class Crash(BaseException):
    """The function's process has crashed: its code stops, and it reports nothing."""


class Fault:
    """A fault. Each attribute and method below is a hook; by default it changes nothing."""

    throttles = False
    """True if Lambda throttles the function."""

    copies = 1
    """The number of copies of each event that the consumer's queue receives."""

    reorders = False
    """True if the queue delivers its messages in a random order."""

    undeliverable = False
    """True if EventBridge can't deliver to the consumer's queue."""

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        """Run the handler's own code for one event."""
        action()

    def answer(self, response: Any) -> Any:
        """Return the response that Lambda receives from the function."""
        return response

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Return AWS's response to a call of the function; None performs the call."""
        return None

    def __str__(self) -> str:
        return type(self).__name__


@dataclass(frozen=True)
class Raises(Fault):
    """The handler's code raises."""

    error: BaseException | type[BaseException] = RuntimeError

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        raise self.error


@dataclass(frozen=True)
class Slow(Fault):
    """The handler's code takes so many seconds longer."""

    seconds: float

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        sleep(self.seconds)
        action()


class TimesOut(Fault):
    """The handler's code hangs until its function times out."""

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        sleep(NEVER)


class Throttled(Fault):
    """Lambda throttles the function."""

    throttles = True


class CrashesAfterEffect(Fault):
    """The handler's code does its work, and then the process crashes before it responds."""

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        action()
        raise Crash("the process crashed after the handler's work")


@dataclass(frozen=True)
class ReturnsGarbage(Fault):
    """The function returns an invalid batch response."""

    value: Any = "garbage"

    def answer(self, response: Any) -> Any:
        return self.value


@dataclass(frozen=True)
class Duplicated(Fault):
    """Every event arrives more than once, as EventBridge and SQS allow."""

    copies: int = 2


class Reordered(Fault):
    """Events arrive in another order."""

    reorders = True


class Undeliverable(Fault):
    """EventBridge can't reach the consumer's queue, and retries as its target is configured."""

    undeliverable = True


@dataclass(frozen=True)
class RefusesEntries(Fault):
    """EventBridge responds with 200, but accepts none of the function's events."""

    code: str = "InternalFailure"

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        if (service, operation) != ("events", "PutEvents"):
            return None
        refused = {"ErrorCode": self.code, "ErrorMessage": "by order of the test"}
        entries = parameters["Entries"]
        return {"FailedEntryCount": len(entries), "Entries": [dict(refused) for _ in entries]}


class DynamoDBThrottled(Fault):
    """DynamoDB refuses every request of the function, also after the SDK's own retries."""

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        if service != "dynamodb":
            return None
        code = "ThrottlingException"
        raise ClientError({"Error": {"Code": code, "Message": "by order of the test"}}, operation)


@dataclass
class _Broken:
    fault: Fault
    since: float
    until: float
    times: float
    """The number of occurrences after which the fault ends."""


class Faults:
    """All faults, by the name of the function that they affect."""

    def __init__(self) -> None:
        self._broken: dict[str, list[_Broken]] = {}

    def add(self, function: str, fault: Fault, *, since: float, until: float, times: float) -> None:
        self._broken.setdefault(function, []).append(_Broken(fault, since, until, times))

    def remove(self, function: str) -> None:
        self._broken.pop(function, None)

    def of(self, function: str, now: float) -> list[Fault]:
        """Return the faults that affect the function now."""
        broken = self._broken.get(function, ())
        return [each.fault for each in broken if each.since <= now < each.until and each.times > 0]

    def met(self, function: str, fault: Fault) -> None:
        """Count one occurrence of a fault."""
        for each in self._broken.get(function, ()):
            if each.fault is fault:
                each.times -= 1
