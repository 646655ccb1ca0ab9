"""The command `patchbay isolation`: fill the matrix of the project, and print it."""

import json
from pathlib import Path

from rich.console import Console

from patchbay.deploy.synthesis import synthesize
from patchbay.processes.workspace import BUILD
from patchbay.testkit.invariants import of_project
from patchbay.testkit.isolation.matrix import Cell, Matrix
from patchbay.testkit.isolation.report import as_json, as_table, display
from patchbay.testkit.templates import Templates

STAGE = "dev"
ASSEMBLIES = BUILD / "test-assemblies"
REPORT = BUILD / "isolation.json"


def isolation(console: Console, report: Path = REPORT) -> int:
    """Fill the matrix of the project. Return 1 if a cell does not hold. Raise UserError."""
    out = synthesize(STAGE, {}, into=ASSEMBLIES)
    templates = Templates.from_assembly(out, stage=STAGE)
    return fill(Matrix(templates, of_project()), console, report)


def fill(matrix: Matrix, console: Console, report: Path) -> int:
    """Fill the matrix, and print it. Return 1 if a cell does not hold."""
    troubles = [trouble.name for trouble in matrix.troubles]
    cells: list[Cell] = []
    with display(console, matrix.consumers, troubles) as show:
        for cell in matrix.cells():
            cells.append(cell)
            show(cells)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(as_json(cells), indent=2) + "\n")
    console.print(as_table(cells, matrix.consumers, troubles))
    held = sum(cell.holds for cell in cells)
    console.print(f"\n{held} of {len(cells)} hold. The JSON report is build/{report.name}.")
    return 0 if held == len(cells) else 1
