import pytest

from demo.coupling.prices import PRICES, bill, by_service, idle_polling, per_million_orders


def test_a_million_of_each_unit_costs_its_list_price() -> None:
    million = 1_000_000.0
    assert bill(
        {
            "lambda_requests": million,
            "lambda_gb_seconds": million,
            "events": million,
            "sqs_requests": million,
            "state_transitions": million,
        }
    ) == pytest.approx(
        {
            "lambda_requests": 0.20,
            "lambda_gb_seconds": 13.3334,
            "events": 1.00,
            "sqs_requests": 0.40,
            "state_transitions": 25.00,
        }
    )


def test_the_usage_of_a_few_orders_is_scaled_to_a_million() -> None:
    assert per_million_orders({"events": 72, "dynamodb_writes": 288}, 36) == pytest.approx(
        {"events": 2.00, "dynamodb_writes": 5.00}
    )


def test_polling_an_empty_queue_has_a_monthly_cost() -> None:
    # Five pollers, each three times a minute: 648,000 requests in thirty days.
    assert idle_polling(1) == pytest.approx(0.2592)
    assert idle_polling(0) == 0


def test_a_bill_is_summed_up_by_service_with_the_most_expensive_first() -> None:
    parts = {"events": 2.0, "lambda_requests": 1.0, "lambda_gb_seconds": 4.0}

    assert list(by_service(parts).items()) == [("Lambda", 5.0), ("EventBridge", 2.0)]


def test_a_unit_without_a_price_is_an_error() -> None:
    with pytest.raises(KeyError, match="hugs"):
        bill({"hugs": 1})


def test_every_price_names_its_page_and_its_unit() -> None:
    assert all("pricing" in price.page.lower() and price.unit for price in PRICES.values())
    assert all("AWS" in price.page or "Amazon" in price.page for price in PRICES.values())
