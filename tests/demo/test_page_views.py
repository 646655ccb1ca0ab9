"""Page views: derived from the purchases, and posted until all are accepted."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from demo.page_views import BATCH, StorefrontRefused, counted, interactions, visit
from demo.purchases import first_purchases
from demo.shop import Shop


class Storefront:
    """A stand-in for the storefront, with the answers of a function."""

    def __init__(self, answer: Callable[[list[Any]], tuple[int, Any]]) -> None:
        self.answer = answer
        self.sizes: list[int] = []

    def post_interactions(self, batch: list[Any]) -> tuple[int, Any]:
        self.sizes.append(len(batch))
        return self.answer(batch)

    @property
    def shop(self) -> Shop:
        return cast("Shop", self)


def accept_all(batch: list[Any]) -> tuple[int, Any]:
    return 202, {"taken": len(batch)}


def test_the_same_purchases_give_the_same_interactions() -> None:
    purchases = first_purchases(100)
    once, again = list(interactions(purchases)), list(interactions(purchases))
    assert once == again
    assert sum(each["kind"] == "purchase" for each in once) == len(purchases)


def test_all_interactions_are_posted_in_batches_and_counted() -> None:
    purchases = first_purchases(300)
    storefront = Storefront(accept_all)
    assert visit(storefront.shop, purchases) == counted(interactions(purchases))
    assert max(storefront.sizes) == BATCH


def test_refused_interactions_are_posted_again() -> None:
    purchases = first_purchases(10)
    answers = iter([(503, {"taken": 1, "refused": 2, "refused_at": [0, 2]})])
    storefront = Storefront(lambda batch: next(answers, accept_all(batch)))
    assert visit(storefront.shop, purchases) == counted(interactions(purchases))
    assert storefront.sizes[1] == 2


@pytest.mark.parametrize("status", [400, 503])
def test_a_storefront_that_refuses_everything_ends_in_an_error(status: int) -> None:
    storefront = Storefront(lambda _: (status, {"error": "no"}))
    with pytest.raises(StorefrontRefused, match=f"answered {status}"):
        visit(storefront.shop, first_purchases(1))
