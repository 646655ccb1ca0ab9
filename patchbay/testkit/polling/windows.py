"""Tumbling windows: the state that Lambda passes from batch to batch in a time span."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MAX_STATE = 1024 * 1024  # bytes for each shard


@dataclass
class Window:
    """A time span, with the state that the function returned last in it."""

    start: float
    end: float
    state: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def around(cls, moment: float, seconds: float) -> "Window":
        start = moment - moment % seconds
        return cls(start, start + seconds)

    def holds(self, moment: float) -> bool:
        return self.start <= moment < self.end

    @property
    def is_too_large(self) -> bool:
        return len(json.dumps(self.state).encode()) > MAX_STATE

    def event(self, shard_id: str, arn: str, *, is_final: bool) -> dict[str, Any]:
        """Return the window's fields of an invocation's event."""
        return {
            "window": {"start": _text(self.start), "end": _text(self.end)},
            "state": self.state,
            "shardId": shard_id,
            "eventSourceARN": arn,
            "isFinalInvokeForWindow": is_final,
            "isWindowTerminatedEarly": is_final and self.is_too_large,
        }


def state_of(payload: Any) -> dict[str, Any] | None:
    """Return the state in a response; a response without one is a failure."""
    state = payload.get("state") if isinstance(payload, dict) else None
    return state if isinstance(state, dict) else None


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
