"""The climate service."""

from patchbay.constructs import Service


class Climate(Service):
    """Puts measurements on a stream."""

    def compose(self) -> None:
        stream = self.stream()
        api = self.function("api", environment={"STREAM": stream.stream_name})
        api.allow("kinesis:PutRecords", on=[stream.stream_arn])
        self.http_api({"POST /measurements": api})
