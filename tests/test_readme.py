"""The README's own test, run as it stands there."""

import re
from typing import Any

from patchbay.project.root import ROOT
from tests.shop import Shop

BLOCK = re.compile(r"```python\n(def (test_\w+)\(.*?)```", re.DOTALL)


def test_the_test_in_the_readme_passes(cloud: Shop) -> None:
    (block,) = BLOCK.finditer((ROOT / "README.md").read_text())
    names: dict[str, Any] = {"Shop": Shop}
    exec(block[1], names)  # noqa: S102 - the project's own text
    names[block[2]](cloud)
