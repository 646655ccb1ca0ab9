"""The structure of the package: which part may import which, how large a folder is, and no word of
any project's own domain."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import patchbay
from patchbay.testkit.system_tests.arrows import imported

PACKAGE = Path(next(iter(patchbay.__path__)))
ROOT = PACKAGE.parent
TESTS = Path(__file__).parent
MAX_MODULES = 15  # in a folder: more are a pile

# What every part may import.
SHARED = {"chunks", "did_you_mean", "errors", "project"}
# What else each part of the package may import of it.
ARROWS: Mapping[str, set[str]] = {
    **{name: SHARED - {name} for name in SHARED},
    "events": set(),
    "processes": set(),
    "packaging": {"processes"},
    "messaging": {"events"},
    "topology": {"events"},
    "guardrails": {"events", "topology"},
    "constructs": {"events", "guardrails", "packaging", "topology"},
    "app": {"constructs", "guardrails", "packaging"},
    "deploy": {"processes"},
    "testkit": {"deploy", "events", "messaging", "processes", "topology"},
    "operations": {"events", "messaging", "topology"},
    "console": {"operations", "processes", "topology"},
    "local": {"console", "deploy", "operations", "packaging", "processes"},
    "templates": {"events"},
}
ALL = ("cli",)
"""The parts that may import all others."""

# Words of the domain of one project. The package and its tests know none.
WORDS = {
    "album", "albums", "bestseller", "bestsellers", "cdnow", "customer", "customers", "fulfilment",
    "parcel", "parcels", "payment", "payments", "purchase", "purchases", "shop", "shops",
    "storefront", "warehouse", "warehouses",
}  # fmt: skip
PHRASES = ("order placed", "order id")
TEXT = {"", ".css", ".html", ".in", ".js", ".json", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}


def modules() -> dict[str, Path]:
    """Every module of the package, by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports(path: Path, known: Mapping[str, Path]) -> set[str]:
    """The modules of the package that a module imports, for its types alone as well."""
    found = set()
    for name in imported(path, ROOT):
        module = name
        while module and module not in known:
            module = module.rpartition(".")[0]
        found.add(module or name)
    return found


def part(module: str) -> str:
    """The part of the package to which a module belongs: its folder, or itself at the top."""
    _, _, rest = module.partition(".")
    return rest.partition(".")[0]


GRAPH = {name: imports(path, modules()) - {name} for name, path in modules().items()}


def test_every_part_of_the_package_has_its_arrows() -> None:
    assert {part(name) for name in GRAPH if part(name)} == {*ARROWS, *ALL}


@pytest.mark.parametrize("importer", sorted(ARROWS))
def test_a_part_imports_only_what_its_arrows_allow(importer: str) -> None:
    allowed = ARROWS[importer] | SHARED | {importer}
    wrong = [
        f"{module} imports {name}"
        for module, names in GRAPH.items()
        if part(module) == importer
        for name in sorted(names)
        if name.startswith("patchbay") and part(name) not in allowed | {""}
    ]
    assert wrong == []


def test_the_package_imports_nothing_of_a_project() -> None:
    own = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    wrong = [
        f"{module} imports {name}"
        for module, names in GRAPH.items()
        for name in sorted(names)
        if name.split(".")[0] in own - {"patchbay"}
    ]
    assert wrong == []


def cycles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Every group of modules that import each other, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for other in sorted(graph.get(name, ())):
            if other not in index:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], index[other])
        if lowest[name] == index[name]:
            at = stack.index(name)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def test_no_modules_import_each_other() -> None:
    assert [", ".join(group) for group in cycles(GRAPH)] == []


def test_a_cycle_is_found_however_long_it_is() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set[str]()}
    assert cycles(graph) == [["a", "b", "c"]]


def test_an_import_for_types_alone_counts_as_any_other(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("if TYPE_CHECKING:\n    from patchbay.events.event import Event\n")
    assert list(imported(module, tmp_path)) == ["patchbay.events.event.Event"]


def test_no_folder_holds_more_modules_than_one_takes_in_at_a_glance() -> None:
    folders: dict[str, int] = {}
    for path in modules().values():
        folder = str(path.parent.relative_to(ROOT))
        folders[folder] = folders.get(folder, 0) + (path.name != "__init__.py")
    large = [folder for folder, count in folders.items() if count > MAX_MODULES]
    assert large == []


def foreign(text: str) -> set[str]:
    """The words of a project's domain in a text, however they are joined to others."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z]+", " ", text)
    words = spaced.lower().split()
    line = f" {' '.join(words)} "
    return WORDS & set(words) | {phrase for phrase in PHRASES if f" {phrase} " in line}


def texts() -> Iterator[Path]:
    """Every text file of the package and of its tests, but for this one."""
    for folder in (PACKAGE, TESTS):
        for path in sorted(folder.rglob("*")):
            is_built = {"__pycache__", "build"} & set(path.relative_to(folder).parts)
            is_text = path.is_file() and path.suffix in TEXT and not is_built
            if is_text and path != Path(__file__):
                yield path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the shop's orders", {"shop"}),
        ("class ShopsPlayground:", {"shops"}),
        ("OrderPlaced", {"order placed"}),
        ("order_id", {"order id"}),
        ('"/payments/7"', {"payments"}),
        ("records-dev-bestsellers", {"bestsellers"}),
        ("a workshop, repayment, in order, a message id", set()),
    ],
)
def test_a_word_is_found_in_whatever_it_is_written(text: str, words: set[str]) -> None:
    assert foreign(text) == words


def test_neither_the_package_nor_its_tests_know_the_domain_of_a_project() -> None:
    unclean = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in texts()
        if (found := foreign(path.read_text()) | foreign(path.name))
    }
    assert unclean == {}
