"""The alerts service."""

from aws_cdk import aws_lambda as lambda_

from contracts.alerts import AlertCleared, AlertRaised
from contracts.sensors import ReadingTaken
from contracts.watering import BedNotWatered
from patchbay.constructs import Service


class Alerts(Service):
    """Raises an alert for a reading that is too high, and clears what can't be helped."""

    def compose(self) -> None:
        raiser = self.consumer(on=[ReadingTaken], publishes=[AlertRaised])
        self.consumer(part="clear", on=[BedNotWatered], publishes=[AlertCleared])
        ledger = self.table("alerts-siren", key="sensor_id")
        siren = self.function("siren", environment={"SIREN_TABLE": ledger.table_name})
        ledger.grant(siren.function, "dynamodb:PutItem")
        address = siren.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        address.grant_invoke_url(raiser.role)
        raiser.function.add_environment("SIREN_URL", address.url)
