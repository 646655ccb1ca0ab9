from decimal import Decimal

import pytest

from demo.purchases import Purchase, first_purchases
from patchbay.errors import UserError


def test_the_first_purchases_are_those_of_new_year_1997() -> None:
    assert first_purchases(2) == [
        Purchase(1, "00001", 1, Decimal("11.77")),
        Purchase(2, "00004", 2, Decimal("29.33")),
    ]


def test_too_many_purchases_are_an_error() -> None:
    assert len(first_purchases(69_659)) == 69_659
    with pytest.raises(UserError, match="holds 69,659 purchases, not 70,000"):
        first_purchases(70_000)
