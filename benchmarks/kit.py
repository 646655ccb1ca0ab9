"""A benchmark of the test kit: `python -m benchmarks.kit` (it takes some minutes).

`--orders 50` takes seconds, and shows that it runs; so few orders say nothing about growth.

- Thousands of real orders through every consumer, and what each costs: a run of ten times as many
  must not cost more for each of them.
- One test: a fresh cloud, an order, and all that comes of it. The templates are synthesized before.
- A day of retries: a consumer that hangs, and is put back whenever it ends in the dead letters.
"""

import argparse
import sys
import time
import warnings
from datetime import timedelta
from statistics import median

from rich.console import Console
from rich.table import Table

from demo.purchases import Purchase, first_purchases
from patchbay.testkit.faults import TimesOut
from patchbay.testkit.templates import Templates

# Importing it also shuts every way to a real account.
from tests.conftest import STAGE
from tests.shop import Shop
from tests.synthesis import assembly, templates_in

MANY = 5_000  # orders
TIMES_MORE = 10  # of many compared with few
MEANINGFUL = 1_000  # orders: with fewer, the growth is left unjudged
AT_ONCE = 10  # orders that are under way together: a batch
MAX_GROWTH = 1.5  # of an order's cost, from few to many
TESTS = 21
DAY = timedelta(days=1)


def main() -> int:
    """Print the figures; return 1 where an order costs more, the more there are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=MANY, help="of the larger run")
    orders = parser.parse_args().orders
    out = assembly(STAGE)
    templates = Templates(templates_in(out), out, stage=STAGE)
    one_test(templates)  # loads the functions, once for all
    test = median(one_test(templates) for _ in range(TESTS))
    retries = day_of_retries(templates)
    fewer = max(1, orders // TIMES_MORE)
    few, many = per_order(templates, fewer), per_order(templates, orders)
    table = Table("what", title="The test kit", title_justify="left")
    table.add_column("real time", justify="right")
    table.add_row(f"an order, of {fewer:,}", f"{few * 1000:.1f} ms")
    table.add_row(f"an order, of {orders:,}", f"{many * 1000:.1f} ms")
    table.add_row(f"a test, the median of {TESTS}", f"{test * 1000:.0f} ms")
    table.add_row("24 hours of retries", f"{retries:.2f} s")
    console = Console()
    console.print(table)
    console.print(f"Ten times the orders cost {many / few:.2f} times as much each.")
    return 1 if orders >= MEANINGFUL and many / few >= MAX_GROWTH else 0


def one_test(templates: Templates) -> float:
    started = time.process_time()
    with Shop(templates) as cloud:
        order = cloud.place_order()
        cloud.settle()
        assert cloud.order(order.order_id).status == "shipped"
    return time.process_time() - started


def day_of_retries(templates: Templates) -> float:
    with Shop(templates) as cloud:
        cloud.break_("payments", with_=TimesOut())
        cloud.place_order()
        end = cloud.now + DAY
        started = time.process_time()
        while cloud.now < end:
            cloud.settle()
            cloud.redrive("payments")
        return time.process_time() - started


def per_order(templates: Templates, count: int) -> float:
    """Seconds for each of so many real orders."""
    purchases = first_purchases(count)
    with Shop(templates) as cloud:
        started = time.process_time()
        for first in range(0, count, AT_ONCE):
            for purchase in purchases[first : first + AT_ONCE]:
                place(cloud, purchase)
            cloud.settle()
        took = time.process_time() - started
        ended = [order["status"] for order in cloud.table("orders")]
        assert len(ended) == count
        assert set(ended) <= {"shipped", "refunded", "declined"}, set(ended)
    return took / count


def place(cloud: Shop, purchase: Purchase) -> None:
    cloud.place_order(
        customer_id=purchase.customer_id, items=purchase.items, amount=str(purchase.amount)
    )


if __name__ == "__main__":
    # What Powertools says of an invocation that was cut off.
    warnings.filterwarnings("ignore", message="No application metrics")
    sys.exit(main())
