"""The payments service."""

from aws_cdk import aws_lambda as lambda_

from contracts.fulfilment import OrderUnfulfillable
from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentRefunded, PaymentTaken
from patchbay.constructs import Function, Service, Setting


class Payments(Service):
    """Charges customers for their orders, and refunds orders that can't be fulfilled."""

    payment_provider = Setting[str | None](
        "The address of the payment provider; without it, a sandbox is used.",
        local=None, dev=None,
    )  # fmt: skip
    payment_credential = Setting[str | None](
        "The ARN of the secret in Secrets Manager that holds the provider's credential.",
        local=None, dev=None,
    )  # fmt: skip

    def compose(self) -> None:
        charger = self.consumer(on=[OrderPlaced], publishes=[PaymentTaken, PaymentDeclined])
        refunder = self.consumer(
            part="refund", on=[OrderUnfulfillable], publishes=[PaymentRefunded]
        )
        sandbox = self._sandbox() if self.stage.kind != "prod" else None
        if address := self.payment_provider:
            for function in (charger, refunder):
                function.function.add_environment("PAYMENT_PROVIDER_URL", address)
                if secret := self.payment_credential:
                    function.function.add_environment("PAYMENT_PROVIDER_SECRET", secret)
                    function.allow_secret(secret)
        elif sandbox:
            self._connect(sandbox, charger, refunder)

    def _sandbox(self) -> Function:
        """Add a stand-in for the payment provider, which is a third party."""
        ledger = self.table("payments-ledger", key="id")
        sandbox = self.function("sandbox", environment={"LEDGER_TABLE": ledger.table_name})
        ledger.grant(sandbox.function, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan")
        return sandbox

    def _connect(self, sandbox: Function, *callers: Function) -> None:
        address = sandbox.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        for caller in callers:
            address.grant_invoke_url(caller.role)
            caller.function.add_environment("PAYMENT_PROVIDER_URL", address.url)
            caller.function.add_environment("PAYMENT_PROVIDER_AUTH", "iam")
