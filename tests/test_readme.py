"""The README's test passes unchanged, and the links and paths in the docs exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patchbay.project.root import ROOT
from tests.shop import Shop

BLOCK = re.compile(r"```python\n(def (test_\w+)\(.*?)```", re.DOTALL)

PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in [*ROOT.glob("*.md"), *ROOT.glob("data/*.md"), *ROOT.glob("docs/**/*.md")]
)

CODE_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
# A path from the root: it begins with one of the folders, and has nothing in it to be filled in.
PATH = re.compile(
    r"(?:\.ci|benchmarks|contracts|data|demo|docs|functions|patchbay|stacks|tests)(?:/[\w.-]+)+/?"
)

# What a reader's own commands write.
WRITTEN_BY_READERS = ("functions/loyalty", "stacks/loyalty.py", "tests/functions/test_loyalty.py")
# A word that stands for what a reader would put there.
PLACEHOLDER = re.compile(r"\b(?:NAME|SERVICE|EVENT)\b")


def test_the_test_in_the_readme_passes(cloud: Shop) -> None:
    (block,) = BLOCK.finditer((ROOT / "README.md").read_text())
    names: dict[str, Any] = {"Shop": Shop}
    exec(block[1], names)  # noqa: S102 - the project's own text
    names[block[2]](cloud)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_in_a_page_exists(page: str) -> None:
    assert [path for path in paths(page) if not (ROOT / path).exists()] == []


def test_paths_are_found_in_the_readme() -> None:
    assert {"patchbay/messaging", "stacks/payments.py"} <= set(paths("README.md"))


def text_of(page: str) -> str:
    """The page without its blocks of code."""
    return CODE_BLOCK.sub("", (ROOT / page).read_text())


def links(page: str) -> Iterator[str]:
    """Each relative link."""
    for link in LINK.findall(text_of(page)):
        if not re.match(r"[a-z]+:", link):
            yield link


def paths(page: str) -> Iterator[str]:
    """Each path of this repository that stands in backticks."""
    for named in IN_BACKTICKS.findall(text_of(page)):
        if not PATH.fullmatch(named) or PLACEHOLDER.search(named):
            continue
        if not named.startswith(WRITTEN_BY_READERS):
            yield named


def leads_somewhere(page: str, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = ROOT / page if not file else (ROOT / page).parent / file
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", page.read_text()), re.MULTILINE)
    kept = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}
