"""`make isolation`: breaks each consumer in each way, and shows that the others do not notice."""

import json
import sys
from pathlib import Path

from rich.console import Console

from patchbay.errors import UserError
from patchbay.processes.workspace import BUILD
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.isolation.matrix import Cell, Matrix
from patchbay.testkit.isolation.report import as_json, as_table, display
from patchbay.testkit.templates import Templates

# Importing it also shuts every way to a real account.
from tests.conftest import STAGE
from tests.synthesis import assembly, templates_in

REPORT = BUILD / "isolation.json"


def main() -> int:
    try:
        out = assembly(STAGE)
        matrix = Matrix(Templates(STAGE, templates_in(out), out))
    except (UserError, NotDeployable, NotInTheKit) as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    return run(matrix, Console(), REPORT)


def run(matrix: Matrix, console: Console, report: Path) -> int:
    """Fill the matrix, and show it; returns 1 where a cell does not hold."""
    troubles = [trouble.name for trouble in matrix.troubles]
    cells: list[Cell] = []
    with display(console, matrix.consumers, troubles) as show:
        for cell in matrix.cells():
            cells.append(cell)
            show(cells)
    report.write_text(json.dumps(as_json(cells), indent=2) + "\n")
    console.print(as_table(cells, matrix.consumers, troubles))
    held = sum(cell.holds for cell in cells)
    console.print(f"\n{held} of {len(cells)} hold. The same as JSON is in build/{report.name}.")
    return 0 if held == len(cells) else 1


if __name__ == "__main__":
    sys.exit(main())
