"""Files of events: all are validated against their contracts before any is published.

An event is {"type": "ReadingTaken", "data": {…}}, with a "correlation_id" if it belongs to a
journey; or an entry of PutEvents; or an event as EventBridge delivers it. A file holds one event, a
list of events, or one event after the other.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import uuid4

from pydantic import ValidationError

from patchbay.did_you_mean import nearest
from patchbay.errors import UserError
from patchbay.events.event import Event, Metadata
from patchbay.messaging.cause import Cause, caused_by
from patchbay.messaging.errors import EventTooLarge
from patchbay.messaging.publishing import Outgoing, enveloped, prepare
from patchbay.operations.catalogue.catalogue import contract
from patchbay.project.naming import bus_name

SHOWN = 20  # problems of one file; more than that have one cause
MAX_VALUE = 60  # characters of an invalid value

_SPACE = re.compile(r"[ \t\r\n]*")
# The fields of an event in PutEvents, and in EventBridge's deliveries.
_PUT = ("DetailType", "Source", "Detail")
_DELIVERED = ("detail-type", "source", "detail")
_PLAIN = ("type", "data", "correlation_id")


@dataclass(frozen=True)
class PreparedEvent:
    """A valid event, and the line of the file on which it begins."""

    line: int
    event: Outgoing
    correlation_id: str
    has_own_id: bool
    """True if the file gives its id: a consumer that has handled that id skips it."""


class _InvalidEvent(Exception):
    """The problems of one event, a sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems


def read_events(text: str, stage: str, correlation_id: str | None = None) -> list[PreparedEvent]:
    """Read every event of a file, in order, each with its envelope.

    `correlation_id` is that of the events that have none; by default, each begins a journey. Raises
    UserError with all problems, by line and field.
    """
    found, problems = [], []
    for line, value in _values(text):
        try:
            found.append(_prepared(line, value, stage, correlation_id))
        except _InvalidEvent as invalid:
            problems += [f"line {line}: {problem}" for problem in invalid.problems]
        except RecursionError:
            problems.append(f"line {line}: it is nested too deeply")
    if problems:
        more = len(problems) - SHOWN
        rest = [f"… and {more} more"] if more > 0 else []
        raise UserError("\n".join(["Nothing is published:", *problems[:SHOWN], *rest]))
    if not found:
        raise UserError('The file holds no event: write {"type": …, "data": {…}}.')
    return found


def _values(text: str) -> Iterator[tuple[int, Any]]:
    """Yield each JSON value with its line: the items of a list, or one value after the other."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at = _after_space(text, 0)
    in_list = text[at : at + 1] == "["
    at = _after_space(text, at + in_list)
    while at < len(text):
        if in_list and text[at] == "]":
            in_list, at = False, _after_space(text, at + 1)
            if at < len(text):
                raise UserError(f"line {_line(text, at)}: there is text after the list.")
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise UserError(
                f"line {error.lineno}, column {error.colno}: this is not JSON: {error.msg}."
            ) from error
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
            raise UserError(f"line {_line(text, at)}: this is not JSON: {why}.") from error
        yield _line(text, at), value
        at = _after_space(text, end)
        if in_list and text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        elif in_list and text[at : at + 1] != "]":
            raise UserError(f"line {_line(text, at)}: a comma or a closing bracket is missing.")
    if in_list:
        raise UserError(f"line {_line(text, at)}: the list has no closing bracket.")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _prepared(line: int, value: Any, stage: str, correlation_id: str | None) -> PreparedEvent:
    """Prepare one event; raises _InvalidEvent."""
    if not isinstance(value, dict):
        raise _InvalidEvent(
            f'an event is an object like {{"type": …, "data": {{…}}}}, not {_cut(value)}'
        )
    try:
        for names in (_PUT, _DELIVERED):
            if names[0] in value:
                return _with_envelope(line, value, names, stage)
        return _without_envelope(line, value, correlation_id)
    except EventTooLarge as error:
        raise _InvalidEvent(str(error)) from error


def _without_envelope(
    line: int, value: Mapping[str, Any], correlation_id: str | None
) -> PreparedEvent:
    if unknown := [name for name in value if name not in _PLAIN]:
        raise _InvalidEvent(
            *(f"unknown field {_cut(name)}: the fields are {', '.join(_PLAIN)}" for name in unknown)
        )
    event = _event(value.get("type"), value.get("data"))
    journey = value.get("correlation_id") or correlation_id or str(uuid4())
    try:
        with caused_by(Cause(seed=str(uuid4()), correlation_id=journey)):
            return PreparedEvent(line, prepare(event), journey, has_own_id=False)
    except ValidationError as error:
        raise _InvalidEvent(*_problems("", error)) from error


def _with_envelope(
    line: int, value: Mapping[str, Any], names: Sequence[str], stage: str
) -> PreparedEvent:
    type_, source, detail = (value.get(name) for name in names)
    bus = str(value.get("EventBusName", bus_name(stage))).rpartition("/")[2]
    if bus != bus_name(stage):
        raise _InvalidEvent(
            f"EventBusName: the event is for the bus {_cut(bus)}, not for {bus_name(stage)}"
        )
    if isinstance(detail, str):
        try:
            detail = json.loads(detail)
        except (ValueError, RecursionError) as error:
            raise _InvalidEvent(f"{names[2]}: this is not JSON: {error}") from error
    if not isinstance(detail, dict) or not {"metadata", "data"} <= detail.keys():
        raise _InvalidEvent(
            f"{names[2]}: the envelope (metadata and data) is missing. To have one made, write "
            '{"type": …, "data": {…}}'
        )
    event = _event(type_, detail["data"])
    if source != event.source():
        raise _InvalidEvent(
            f"{names[1]}: {event.detail_type()} is from {event.source()}, not {_cut(source)}"
        )
    try:
        metadata = Metadata.model_validate(detail["metadata"])
    except ValidationError as error:
        raise _InvalidEvent(*_problems("metadata", error)) from error
    if metadata.claim:
        raise _InvalidEvent("metadata.claim: the event's data is in S3; use `patchbay replay`")
    if metadata.version != event.version:
        raise _InvalidEvent(
            f"metadata.version: {event.detail_type()} is at version {event.version}, not "
            f"{metadata.version}"
        )
    return PreparedEvent(line, enveloped(event, metadata), metadata.correlation_id, has_own_id=True)


def _event(type_: Any, data: Any) -> Event:
    """Validate an event; raises _InvalidEvent."""
    if not isinstance(type_, str):
        raise _InvalidEvent(
            f'type: it must be an event\'s name, such as "ReadingTaken", not {_cut(type_)}'
        )
    try:
        kind = contract(type_)
    except UserError as error:
        raise _InvalidEvent(f"type: {error}") from error
    problems = []
    if isinstance(data, dict):
        # A consumer ignores an unknown field; in a file that somebody writes, it is a mistake.
        for name in data.keys() - kind.model_fields.keys():
            near = nearest(name, kind.model_fields)
            hint = f" Did you mean {near!r}?" if near else ""
            problems.append(f"{type_} has no field {_cut(name)}.{hint}")
    try:
        event = kind.model_validate(data)
    except ValidationError as error:
        problems += _problems(type_, error)
    if problems:
        raise _InvalidEvent(*sorted(problems))
    return event


def _problems(where: str, error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(filter(None, [where, *map(str, problem['loc'])]))}: {problem['msg']}"
        + ("" if problem["type"] == "missing" else f", not {_cut(problem['input'])}")
        for problem in error.errors(include_url=False)
    ]


def _cut(value: Any) -> str:
    """Format an invalid value as short JSON, safe for a terminal."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
