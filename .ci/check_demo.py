"""Holds a demo's report against what must be true of it: `check_demo.py FILE [CONSUMER …]`."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text())
expected = {"notifications", "orders-status", "payments", *sys.argv[2:]}
consumers = report["consumers"]
placed = report["published"]["OrderPlaced"] - 1  # one of them is the malformed one

problems = []
if set(consumers) != expected:
    problems.append(f"the consumers are {sorted(consumers)}, not {sorted(expected)}")
if report["lost"] or report["charged_twice"] or placed != report["orders"]:
    problems.append("an order was lost, charged twice, or never published")
for name, seen in consumers.items():
    due = 0 if name == "orders-status" else 1
    if seen["dead_lettered"] != due:
        problems.append(f"{name} has {seen['dead_lettered']} dead letters, not {due}")
    if seen["handled"] < report["orders"]:
        problems.append(f"{name} handled {seen['handled']} events of {report['orders']}")
sys.exit("\n".join(problems) or 0)
