"""Checks the isolation matrix against the README's claims."""

import json
import sys
from pathlib import Path

cells = json.loads(Path(sys.argv[1]).read_text())["cells"]
wrong = [
    f"{cell['consumer']} with {cell['fault']}: {cell['why']}" for cell in cells if not cell["holds"]
]
consumers = {cell["consumer"] for cell in cells}
faults = {cell["fault"] for cell in cells}
if wrong or not {"notifications", "orders-status", "payments"} <= consumers or len(faults) < 12:
    sys.exit(f"{sys.argv[1]}: {len(cells)} cells of {consumers} and {faults}. " + "; ".join(wrong))
