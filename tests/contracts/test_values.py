import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.values import Dollars

MOST = Decimal("9999999999.99")

dollars: TypeAdapter[Any] = TypeAdapter(Dollars)


@given(st.integers(0, int(MOST * 100)))
def test_an_amount_is_unchanged_after_serialization(cents: int) -> None:
    amount = Decimal(cents) / 100
    assert dollars.validate_json(dollars.dump_json(amount)) == amount


@given(st.integers(0, int(MOST * 100)))
def test_an_amount_is_a_number_on_the_bus_which_numeric_filters_match(cents: int) -> None:
    number = json.loads(dollars.dump_json(Decimal(cents) / 100))
    assert isinstance(number, float)
    assert f"{number:.2f}" == f"{Decimal(cents) / 100:.2f}"


@pytest.mark.parametrize("amount", ["0", "0.00", "0.01", "9.9", str(MOST)])
def test_an_amount_from_nothing_to_ten_digits_is_legal(amount: str) -> None:
    assert dollars.validate_python(amount) == Decimal(amount)


@pytest.mark.parametrize(
    "amount",
    ["-0.01", "0.001", "10000000000", "1e12", "NaN", "Infinity", "-Infinity", "free", "", None],
)
def test_an_amount_outside_of_that_is_not(amount: object) -> None:
    with pytest.raises(ValidationError):
        dollars.validate_python(amount)
