"""Checks a coupling report: `check_coupling.py FILE`."""

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text())
problems = []
for scenario in report["scenarios"]:
    broken = f"{scenario['service']} {scenario['fault']}"
    events, requests = (scenario["sides"][name] for name in ("event-driven", "request-response"))
    if not events["placed"] == events["accepted"] == events["finished"]:
        problems.append(
            f"{broken}: of {events['placed']} orders, the event-driven shop accepted "
            f"{events['accepted']} and finished {events['finished']}"
        )
    if events["finished_but_not_mailed"]:
        problems.append(f"{broken}: {events['finished_but_not_mailed']} mails never came")
    if scenario["fault"] == "none" and requests["finished"] != requests["placed"]:
        problems.append(f"the request-response shop finished {requests['finished']} orders only")
    if broken == "notifications down" and requests["finished"] == requests["placed"]:
        problems.append(f"{broken}: the request-response shop did not notice")
if not any(each["fault"] == "down" for each in report["scenarios"]):
    problems.append("nothing was ever down")
sys.exit("\n".join(problems) or 0)
