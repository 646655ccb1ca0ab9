"""The storefront service."""

from patchbay.constructs import Service


class Storefront(Service):
    """Takes the views and purchases of visitors, and puts them on a stream."""

    def compose(self) -> None:
        stream = self.stream()
        api = self.function("api", environment={"STREAM": stream.stream_name})
        api.allow("kinesis:PutRecords", on=[stream.stream_arn])
        self.http_api({"POST /views": api})
