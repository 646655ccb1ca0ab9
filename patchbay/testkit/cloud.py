"""The cloud of a test: its clock, its actions and its faults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from patchbay.events.event import Envelope, Event, Metadata
from patchbay.messaging.claim_check import checked
from patchbay.messaging.publishing import MAX_EVENT_BYTES
from patchbay.project.naming import replay_name
from patchbay.testkit.aws.network import Respond
from patchbay.testkit.clock import EPOCH
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.faults import Fault, Raises
from patchbay.testkit.system import System
from patchbay.testkit.templates import Templates
from patchbay.testkit.view import View

NO_END = float("inf")


@dataclass(frozen=True)
class HttpAnswer:
    """The response of an HTTP API."""

    status: int
    body: Any


class Cloud(View):
    """The whole deployed system, on a virtual clock.

    Functions are named without system and stage: `alerts`, `sensors-status`.
    """

    def __init__(self, templates: Templates, *, seed: int = 0) -> None:
        self._system = System(templates, seed)

    def __enter__(self) -> Self:
        self._system.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._system.__exit__(*exception)

    # Time

    @property
    def now(self) -> datetime:
        return self._system.clock.time

    @property
    def start(self) -> datetime:
        """The start time of the cloud."""
        return EPOCH

    def settle(self) -> None:
        """Run until the cloud is at rest. Raise NeverIdle if it never is."""
        self._system.clock.run()

    def advance(self, **by: float) -> None:
        """Move the clock, such as `advance(minutes=5)`, and run what is due in that time."""
        until = self._system.clock.now + timedelta(**by).total_seconds()
        self._system.clock.run(until=until)

    # Actions

    def publish(self, event: Event, *, id: UUID | None = None, journey: str | None = None) -> str:
        """Put an event on the bus, as any publisher would, and return its id."""
        drawn = UUID(int=self._system.chance.getrandbits(128), version=4)
        metadata = Metadata.now(
            id=id or drawn, version=event.version, correlation_id=journey or str(drawn)
        )
        detail = Envelope(metadata=metadata, data=event).model_dump_json()
        if len(detail) > MAX_EVENT_BYTES:
            detail, deposit = checked(event.source(), event.detail_type(), detail)
            self._system.buckets.put(deposit.key, deposit.body)
        self.put(event.source(), event.detail_type(), detail)
        return str(metadata.id)

    def run(self, schedule: str) -> None:
        """Run a schedule's function now, with the current time as its due time."""
        name = self._system.templates.physical("AWS::Scheduler::Schedule", schedule)
        self._system.schedules.run(name)

    def replay(
        self, to: str | None = None, *, since: datetime = EPOCH, until: datetime | None = None
    ) -> int:
        """Replay the events published in a time range, to one consumer or to all.

        Return the number of events. Raise NotInTheKit if the templates have no archive.
        """
        if not self._system.templates.all("AWS::Events::Archive"):
            raise NotInTheKit("No template has an archive to replay.")
        moment = self.now.strftime("%y%m%dT%H%M%S")
        name = replay_name(to, moment) if to else replay_name(moment=moment)
        begin, end = since.timestamp(), (until or self.now).timestamp()
        events = [event for event in self.published() if begin <= event.at <= end]
        for event in events:
            self._system.buses.replay(event, name)
        return len(events)

    def deploy(self, templates: Templates) -> None:
        """Deploy the stacks that are new in the templates, beside the running ones."""
        self._system.add(templates)

    def put(
        self,
        source: str,
        detail_type: str,
        detail: str | Mapping[str, Any],
        bus: str | None = None,
    ) -> str | None:
        """Put any entry on a bus, and return its event's id; None if EventBridge refuses it.

        Without `bus`, it is the app's only bus, or the account's default bus if the app has none.
        """
        text = detail if isinstance(detail, str) else json.dumps(detail)
        entry: Any = {
            "EventBusName": self._system.templates.bus(bus),
            "Source": source,
            "DetailType": detail_type,
            "Detail": text,
        }
        (result,) = self.client("events").put_events(Entries=[entry])["Entries"]
        return self.published()[-1].id if "EventId" in result else None

    def secret(self, name: str, value: str | Mapping[str, Any]) -> None:
        """Set the value of a secret in Secrets Manager, a text or JSON.

        A secret that the templates do not have, such as another team's, is created.
        """
        text = value if isinstance(value, str) else json.dumps(value)
        kind = "AWS::SecretsManager::Secret"
        self._system.secrets.put(self._system.templates.physical_or(kind, name), text)

    def parameter(self, name: str, value: str) -> None:
        """Set a parameter of SSM's Parameter Store."""
        physical = self._system.templates.physical_or("AWS::SSM::Parameter", name)
        self.client("ssm").put_parameter(Name=physical, Value=value, Type="String", Overwrite=True)

    def send(self, consumer: str, body: str, *, group: str = "a group") -> None:
        """Send a message directly to a consumer's queue.

        `group` is its message group, if it is a FIFO queue.
        """
        queue = self.queue(consumer)
        if queue.is_fifo:
            sent = queue.send(body, group=group, deduplication=str(uuid4()))
        else:
            sent = queue.send(body)
        self._system.history.sent(queue.name, sent, body)
        self._system.wake(queue)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Send a request to the system's HTTP API, and return its response."""
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        status, content = self._system.http.request(method, path, headers or {}, text.encode())
        return HttpAnswer(status, json.loads(content) if content else None)

    def serve(self, host: str, respond: Respond) -> None:
        """Simulate a third party's HTTP server at that host, for requests of functions."""
        self._system.network.serve(host, respond)

    # Faults

    def break_(
        self,
        function: str,
        *,
        with_: Fault | BaseException | type[BaseException],
        after: timedelta = timedelta(0),
        lasting: timedelta | None = None,
        times: float = NO_END,
    ) -> None:
        """Inject a fault into a function, or an error that its code raises.

        It starts `after` some time, and ends after so many `times`, after its duration `lasting`,
        or with `mend`.
        """
        name = self._function(function).short_name
        fault = with_ if isinstance(with_, Fault) else Raises(with_)
        since = self._system.clock.now + after.total_seconds()
        until = since + (lasting.total_seconds() if lasting is not None else NO_END)
        self._system.faults.add(name, fault, since=since, until=until, times=times)

    def mend(self, function: str) -> None:
        """End all faults of a function."""
        self._system.faults.remove(self._function(function).short_name)

    def redrive(self, consumer: str) -> int:
        """Redrive a consumer's dead letters and undelivered events to its queue.

        Return their number.
        """
        queue = self.queue(consumer)
        moved = 0
        intake = self._system.intake_of(queue)
        ways = [(queue.dead_letters, queue)] if queue.dead_letters else []
        for source, back in [*ways, *((each, intake) for each in self._undelivered_of(queue))]:
            for old, new, body in source.forward(back):
                self._system.history.redriven(back.name, old, new, body)
                moved += 1
        self._system.wake(intake)
        self._system.wake(queue)
        return moved
