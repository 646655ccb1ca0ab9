"""The payments service."""

from aws_cdk import aws_lambda as lambda_

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentTaken
from stacks.function import Function
from stacks.service import Service


class Payments(Service):
    """Charges the customer for an order, and tells how that went."""

    def compose(self) -> None:
        charger = self.consumer(on=[OrderPlaced], publishes=[PaymentTaken, PaymentDeclined])
        sandbox = self._sandbox() if self.stage.has_payment_sandbox else None
        if address := self.stage.payment_provider:
            charger.function.add_environment("PAYMENT_PROVIDER_URL", address)
        elif sandbox:
            self._connect(charger, sandbox)

    def _sandbox(self) -> Function:
        """A stand-in for the payment provider, which is a third party."""
        ledger = self.table("payments-ledger", key="id")
        sandbox = self.function("sandbox", environment={"LEDGER_TABLE": ledger.table_name})
        ledger.grant(sandbox.function, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan")
        return sandbox

    def _connect(self, charger: Function, sandbox: Function) -> None:
        address = sandbox.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        address.grant_invoke_url(charger.role)
        charger.function.add_environment("PAYMENT_PROVIDER_URL", address.url)
        charger.function.add_environment("PAYMENT_PROVIDER_AUTH", "iam")
