"""The stack of the shop that is coupled by requests: each function invokes the next, and waits."""

from collections.abc import Mapping

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from demo.coupling.names import NAME
from patchbay.constructs.function import Code, Function
from patchbay.constructs.service import Service
from stacks.notifications import Notifications
from stacks.payments import Payments

# Seconds that each step waits for the next. Each must end before the step that waits for it, and
# API Gateway gives an integration 30 s.
PATIENCE = {"orders": 28, "payments": 20, "fulfilment": 12}


class RequestResponse(Service):
    """A service that accepts, charges, ships and confirms an order while its customer waits."""

    mail_from = Notifications.mail_from
    mail_to = Notifications.mail_to
    payment_provider = Payments.payment_provider

    def __init__(self, scope: Construct, *, fulfils: bool) -> None:
        """Take as `fulfils` whether orders are shipped, as in the app."""
        self._fulfils = fulfils
        super().__init__(scope)

    @classmethod
    def service_name(cls) -> str:
        return NAME

    def compose(self) -> None:
        mail = {"MAIL_FROM": self.mail_from, "MAIL_TO": self.mail_to}
        notifications = self._step("notifications", environment=mail)
        notifications.allow_mail(self.mail_from)

        after_payment = {"notifications": notifications}
        if self._fulfils:
            after_payment["fulfilment"] = self._fulfilment(notifications)
        payments = self._step(
            "payments",
            calls=after_payment,
            environment={
                "PAYMENT_PROVIDER_URL": self.payment_provider or "",
                "AFTER_PAYMENT": list(after_payment)[-1],
            },
        )

        table = self._orders()
        orders = self._step(
            "orders", calls={"payments": payments}, environment={"ORDERS_TABLE": table.table_name}
        )
        table.grant(orders.function, "dynamodb:PutItem", "dynamodb:UpdateItem")
        self.http_api({"POST /orders": orders})

    def _orders(self) -> dynamodb.Table:
        return self.table(f"{NAME}-orders", key="order_id")

    def _fulfilment(self, notifications: Function) -> Function:
        stock = self.table(f"{NAME}-stock", key="warehouse")
        shipments = self.table(f"{NAME}-shipments", key="order_id")
        fulfilment = self._step(
            "fulfilment",
            calls={"notifications": notifications},
            environment={
                "STOCK_TABLE": stock.table_name,
                "SHIPMENTS_TABLE": shipments.table_name,
            },
        )
        stock.grant(fulfilment.function, "dynamodb:UpdateItem")
        shipments.grant(fulfilment.function, "dynamodb:PutItem")
        return fulfilment

    def _step(
        self,
        name: str,
        *,
        calls: Mapping[str, Function] | None = None,
        environment: Mapping[str, str],
    ) -> Function:
        """Return a function that may invoke only the functions that it calls."""
        step = Function(
            self,
            name.title(),
            name=f"{NAME}-{name}",
            code=Code(
                handler=f"demo.coupling.functions.{name}",
                layer=self._packages,
                service=f"{NAME}-{name}",
                environment=environment,
            ),
        )
        for other, function in (calls or {}).items():
            step.allow("lambda:InvokeFunction", on=[function.function.function_arn])
            step.function.add_environment(
                f"{other.upper()}_FUNCTION", function.function.function_name
            )
        if calls:
            step.function.add_environment("PATIENCE", str(PATIENCE[name]))
        return step
