"""The accounts service."""

from contracts.accounts import DayClosed
from contracts.orders import OrderPlaced
from contracts.payments import PaymentRefunded, PaymentTaken
from patchbay.constructs import Service, equals


class Accounts(Service):
    """Keeps each customer's statement, books the gifts, and closes each day."""

    def compose(self) -> None:
        lines = self.table("accounts-lines", key="line", index="day")
        balances = self.table("accounts-balances", key="account")
        books = {"LINES_TABLE": lines.table_name, "BALANCES_TABLE": balances.table_name}

        statement = self.consumer(
            part="statement",
            on=[PaymentTaken, PaymentRefunded],
            ordered_by="customer_id",
            environment=books,
            naturally_idempotent=True,
        )
        statement.allow("dynamodb:PutItem", on=[lines.table_arn, balances.table_arn])
        statement.allow("dynamodb:GetItem", on=[balances.table_arn])

        gifts = self.consumer(
            part="gifts",
            on=[OrderPlaced],
            where={"amount": equals(0)},
            environment=books,
            naturally_idempotent=True,
        )
        gifts.allow("dynamodb:PutItem", on=[lines.table_arn])

        close = self.schedule(
            "close", every="cron(0 3 * * ? *)", publishes=[DayClosed], environment=books
        )
        close.allow("dynamodb:Query", on=[f"{lines.table_arn}/index/day"])
