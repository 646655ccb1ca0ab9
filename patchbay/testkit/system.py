"""The running system: deployed templates, and all parts of the kit that simulate AWS."""

import json
import random
from contextlib import ExitStack
from io import BytesIO
from typing import Any, Self
from unittest.mock import patch

import urllib3
from botocore.client import BaseClient
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.moto_api._internal import mock_random

from patchbay.testkit.aws.boto import Aws
from patchbay.testkit.aws.buckets import Buckets
from patchbay.testkit.aws.function import Function, Lambda
from patchbay.testkit.aws.http_api import HttpApis
from patchbay.testkit.aws.network import Network
from patchbay.testkit.aws.permissions import may_invoke
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.aws.secrets import Secrets
from patchbay.testkit.aws.speed import faster_calls
from patchbay.testkit.clock import Clock
from patchbay.testkit.delivery.asynchronous import Asynchronous, Options, options_of
from patchbay.testkit.delivery.bus import EVENTBRIDGE, Buses, Rule, Target
from patchbay.testkit.delivery.schedule import Schedules
from patchbay.testkit.delivery.topics import Topics
from patchbay.testkit.deployment import Deployment
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.faults import Fault, Faults
from patchbay.testkit.history import History
from patchbay.testkit.inventory import Inventory
from patchbay.testkit.polling.poller import Poller
from patchbay.testkit.polling.stream import StreamPoller
from patchbay.testkit.states.execution import state_machines
from patchbay.testkit.states.state_machine import StateMachines
from patchbay.testkit.states.tasks import Tasks
from patchbay.testkit.templates import Templates

ONLY_FROM_THE_START = (
    "AWS::ApiGatewayV2::Api",
    "AWS::Events::EventBus",
    "AWS::Lambda::Url",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
)


class System:
    """Deployed templates, which run while the context is entered."""

    def __init__(self, templates: Templates, seed: int) -> None:
        self.templates = templates
        self.seed = seed
        self.clock = Clock()
        self.faults = Faults()
        self.history = History(self.clock, templates.short)
        self.functions = Lambda(self.clock, self.faults, seed)
        self.chance = random.Random(seed)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(mock_aws())
            stack.enter_context(faster_calls())
            # Within another mock_aws, this one would keep the state of the outer one.
            BackendDict.reset()
            mock_random.seed(self.seed)
            stack.enter_context(self.clock)
            self._deploy()
            stack.enter_context(patch.object(BaseClient, "_make_api_call", _method(self.aws.call)))
            urlopen = _method(self.network.urlopen)
            stack.enter_context(patch.object(urllib3.HTTPConnectionPool, "urlopen", urlopen))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _deploy(self) -> None:
        deployed = Deployment(self.templates, self.clock)
        self._existing_buses = deployed.buses
        self.rules: list[Rule] = []
        self.pollers: list[Poller] = []
        self.streams: list[StreamPoller] = []
        self.queues: dict[str, Queue] = {}
        self._refused: dict[str, NotInTheKit] = {}
        self.asynchronous = Asynchronous(
            self.clock, self.functions, self.history, self.options_of, self.wake
        )
        self.buses = Buses(
            self.clock,
            self.history,
            self.rules,
            self._faults_of_target,
            lambda function, rule: may_invoke(self.templates, function, EVENTBRIDGE, rule),
            self.asynchronous,
            self.wake,
        )
        self.topics = Topics(
            self.clock,
            self.history,
            lambda: self.templates,
            self.queues.get,
            self.asynchronous,
            self.wake,
        )
        self._add_deployment(deployed)
        self.secrets = Secrets(self.templates)
        self.schedules = Schedules(
            self.clock,
            self.asynchronous,
            self.history,
            deployed.schedules,
            deployed.refused_schedules,
        )
        self.network = Network(self.functions, deployed.urls)
        self.http = HttpApis(self.functions, self.templates)
        self.buckets = Buckets(self.templates)
        tasks = Tasks(
            self.templates,
            self.functions,
            lambda *call: self.aws.perform(*call),
            self.clock,
        )
        self.state_machines = StateMachines(
            self.clock,
            self.faults,
            self.history,
            tasks,
            state_machines(self.templates),
            self.seed,
        )
        self.aws = Aws(
            self.functions,
            self.faults,
            self.history,
            self.buses,
            self.buckets,
            self.state_machines,
            self.topics,
            self.secrets,
            Inventory(lambda: self.templates, self.functions.logs),
            real=BaseClient._make_api_call,  # type: ignore[attr-defined]
            invoke=self._invoke,
            queue_changed=lambda arn: self._wake(arn, None),
            source_changed=self._read_stream,
        )

    def add(self, templates: Templates) -> None:
        """Deploy the stacks that are new in the templates; the others stay as they are."""
        there = self.templates.bodies
        new = {stack: body for stack, body in templates.bodies.items() if stack not in there}
        added = templates.with_bodies(new)
        for kind in ONLY_FROM_THE_START:
            for resource in added.all(kind):
                raise NotInTheKit(
                    f"{resource} can't be added to a running system: deploy it from the start."
                )
        self.templates = templates
        self._add_deployment(Deployment(added, self.clock, self._existing_buses))

    def options_of(self, function: Function) -> Options:
        """Return a function's settings for asynchronous invocations."""
        return options_of(self.templates, function, self._queue)

    def _queue(self, arn: str, where: str) -> Queue:
        if arn not in self.queues:
            raise NotInTheKit(f"{where} sends to {arn}, a queue that is not in these templates.")
        return self.queues[arn]

    def _add_deployment(self, deployed: Deployment) -> None:
        self.queues |= deployed.queues
        self._refused |= deployed.refused
        self.rules += deployed.rules
        for rule in deployed.rules:
            self.buses.start_schedule(rule)
        self.pollers += [
            Poller(self.clock, self.functions, self.faults, self.history, mapping, self.seed)
            for mapping in deployed.queue_mappings
        ]
        self.streams += [
            StreamPoller(self.clock, self.functions, self.history, mapping, self.wake)
            for mapping in deployed.stream_mappings
        ]

    def _invoke(
        self,
        FunctionName: str,  # noqa: N803 - AWS's names
        InvocationType: str = "RequestResponse",  # noqa: N803
        Payload: bytes | str = b"{}",  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        """Perform the operation Invoke of Lambda."""
        function = self.templates.function(FunctionName)
        text = Payload if isinstance(Payload, str) else Payload.decode()
        if InvocationType == "Event":
            self.clock.at(self.clock.now, lambda: self.asynchronous.take(function, text))
            return {"StatusCode": 202}
        answer = self.functions.invoke(function, json.loads(text))
        payload = {"errorMessage": answer.error} if answer.error else answer.payload
        failed = {"FunctionError": "Unhandled"} if answer.error else {}
        return {"StatusCode": 200, "Payload": BytesIO(json.dumps(payload).encode()), **failed}

    def wake(self, queue: Queue) -> None:
        """Wake the queue's poller: a message has arrived."""
        self._wake(queue.arn, self.clock.now)

    def _wake(self, arn: str, moment: float | None) -> None:
        if arn in self._refused and arn in self.queues and len(self.queues[arn]):
            raise self._refused[arn]
        for poller in self.pollers:
            if poller.mapping.queue.arn == arn:
                poller.wake(moment)

    def _read_stream(self, source: str) -> None:
        if source in self._refused:
            raise self._refused[source]
        for stream in self.streams:
            if stream.mapping.source.key == source:
                stream.wake()

    def _faults_of(self, queue: Queue) -> list[Fault]:
        """Return the faults of the functions that read the queue, directly or behind a relay."""
        return [
            fault
            for poller in self.pollers
            if queue in (poller.mapping.queue, self.intake_of(poller.mapping.queue))
            for fault in self.faults.of(poller.mapping.function.short_name, self.clock.now)
        ]

    def _faults_of_target(self, target: Target) -> list[Fault]:
        if target.function:
            return self.faults.of(target.function.short_name, self.clock.now)
        return self._faults_of(target.queue) if target.queue else []

    def intake_of(self, queue: Queue) -> Queue:
        """Return the queue of the relay that sends to this one; without a relay, this one."""
        for poller in self.pollers:
            if poller.mapping.function.relays_to == queue.url:
                return poller.mapping.queue
        return queue


def _method(function: Any) -> Any:
    """Return a function that can replace a method: it passes the instance as an argument."""

    def call(instance: Any, *arguments: Any, **options: Any) -> Any:
        return function(instance, *arguments, **options)

    return call
