"""What a test can have go wrong: a fault each, and by whom and when it is met."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

NEVER = float("inf")

Action = Callable[[], None]


class Crash(BaseException):
    """The function's process is gone: nothing of its code runs on, and nothing is reported."""


class Fault:
    """Something that goes wrong. Each hook below is where it may; by default nothing does."""

    throttles = False
    """Whether Lambda refuses to run the function at all."""

    copies = 1
    """How often each event is put into the consumer's queue."""

    reorders = False
    """Whether the queue hands its messages out in any order but the one they came in."""

    undeliverable = False
    """Whether EventBridge fails to put events into the consumer's queue."""

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        """Run the handler's own code for one event."""
        action()

    def answer(self, response: Any) -> Any:
        """What Lambda gets to see of what the function returns."""
        return response

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        """What AWS answers to the function instead of doing what it asks; None lets it pass."""
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
    """The handler's code takes that much longer."""

    seconds: float

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        sleep(self.seconds)
        action()


class TimesOut(Fault):
    """The handler's code hangs until Lambda ends the function."""

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        sleep(NEVER)


class Throttled(Fault):
    """Lambda does not run the function: too many run already."""

    throttles = True


class CrashesAfterEffect(Fault):
    """The handler's code does its work, and the process dies before anyone hears of it."""

    def handle(self, action: Action, sleep: Callable[[float], None]) -> None:
        action()
        raise Crash("the process crashed after the handler's work")


@dataclass(frozen=True)
class ReturnsGarbage(Fault):
    """The function returns what is no answer to a batch."""

    value: Any = "garbage"

    def answer(self, response: Any) -> Any:
        return self.value


@dataclass(frozen=True)
class Duplicated(Fault):
    """Every event arrives more than once, which both EventBridge and SQS may do."""

    copies: int = 2


class Reordered(Fault):
    """Events arrive in another order."""

    reorders = True


class Undeliverable(Fault):
    """EventBridge can't reach the consumer's queue, and tries again as long as its rule says."""

    undeliverable = True


@dataclass(frozen=True)
class RefusesEntries(Fault):
    """EventBridge answers 200, and yet takes none of the events that the function publishes."""

    code: str = "InternalFailure"

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        if (service, operation) != ("events", "PutEvents"):
            return None
        refused = {"ErrorCode": self.code, "ErrorMessage": "by order of the test"}
        entries = parameters["Entries"]
        return {"FailedEntryCount": len(entries), "Entries": [dict(refused) for _ in entries]}


class DynamoDBThrottled(Fault):
    """DynamoDB refuses the function's every request, after all that the SDK tries by itself."""

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
    """How often the fault is met before it is over."""


class Faults:
    """What is broken at the moment, by the name of the function that meets it."""

    def __init__(self) -> None:
        self._broken: dict[str, list[_Broken]] = {}

    def add(self, function: str, fault: Fault, *, since: float, until: float, times: float) -> None:
        self._broken.setdefault(function, []).append(_Broken(fault, since, until, times))

    def remove(self, function: str) -> None:
        self._broken.pop(function, None)

    def of(self, function: str, now: float) -> list[Fault]:
        """The faults that the function meets now."""
        broken = self._broken.get(function, ())
        return [each.fault for each in broken if each.since <= now < each.until and each.times > 0]

    def met(self, function: str, fault: Fault) -> None:
        """Count one more time that it was met."""
        for each in self._broken.get(function, ()):
            if each.fault is fault:
                each.times -= 1
