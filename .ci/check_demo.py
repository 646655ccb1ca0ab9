"""Checks a demo's report: `check_demo.py FILE [CONSUMER …]`."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text())
# The consumers of every OrderPlaced, including the malformed one.
of_orders = {"journal", "notifications", "payments", *sys.argv[2:]}
others = {
    "accounts-gifts", "accounts-statement", "fulfilment", "orders-status", "payments-refund",
}  # fmt: skip
consumers = report["consumers"]
placed = report["published"]["OrderPlaced"] - 1  # one of them is the malformed one

problems = []
if set(consumers) != of_orders | others:
    problems.append(f"the consumers are {sorted(consumers)}, not {sorted(of_orders | others)}")
if report["lost"] or report["charged_twice"] or placed != report["orders"]:
    problems.append("an order was lost, charged twice, or never published")
if report["missing_from_stock"] or report["miscounted"]:
    problems.append("the stock does not add up, or what visitors looked at was miscounted")
if report["missing_from_books"] or "DayClosed" not in report["published"]:
    problems.append("the books were not closed, or do not add up")
if report["by_claim_check"] != 1:
    problems.append(f"{report['by_claim_check']} events came by claim check, and not one")
ended = report["ended"]
if sum(ended.values()) != report["orders"] or set(ended) - {"shipped", "declined", "refunded"}:
    problems.append(f"{report['orders']} orders ended as {ended}")
for name, seen in consumers.items():
    due = int(name in of_orders)
    if seen["dead_lettered"] != due:
        problems.append(f"{name} has {seen['dead_lettered']} dead letters, not {due}")
    if due and seen["handled"] < report["orders"]:
        problems.append(f"{name} handled {seen['handled']} events of {report['orders']}")
sys.exit("\n".join(problems) or 0)
