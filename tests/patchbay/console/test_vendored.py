"""Third-party files are unchanged, and pages load nothing from other hosts."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from patchbay.console.app import STATIC
from patchbay.console.views import TEMPLATES

VENDOR = STATIC / "vendor"
NOTED = re.compile(r"^\| `([^`]+)` \|.*\| (\d+\.\d+\.\d+) \|.*`([0-9a-f]{64})` \|$", re.MULTILINE)
SOURCES = sorted([*TEMPLATES.glob("*.html"), *STATIC.glob("*.css"), *STATIC.glob("*.js")])
SVG = "http://www.w3.org/2000/svg"


def test_each_vendored_file_has_the_hash_in_the_readme() -> None:
    noted = {name: digest for name, _, digest in NOTED.findall((VENDOR / "README.md").read_text())}
    scripts = {path.name: sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}
    assert scripts
    assert scripts == noted


def test_each_vendored_file_has_its_licence() -> None:
    for path in VENDOR.glob("*.js"):
        assert (VENDOR / f"{path.name.split('.')[0]}.LICENSE").exists()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_page_refers_to_another_host(path: Path) -> None:
    text = path.read_text().replace(SVG, "")
    assert not re.search(r"https?://|url\(\s*['\"]?//|(src|href)=[\"']//", text)


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_page_has_inline_scripts_or_styles(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son\w+=|hx-on|javascript:|\|\s*safe\b", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
