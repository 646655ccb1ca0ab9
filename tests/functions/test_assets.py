"""The assets of the shop's functions hold only the contracts that each uses."""

from patchbay.packaging.imports import Sources
from patchbay.project.root import ROOT


def test_an_asset_has_only_the_contracts_that_its_function_uses() -> None:
    sources = Sources()
    assert "contracts.payments" in sources.needed("functions.notifications.handler")
    outbox = sources.needed("functions.orders.outbox")
    assert "contracts.orders" in outbox
    assert "contracts.payments" not in outbox


def test_no_asset_has_stacks_or_tests() -> None:
    sources = Sources()
    for handler in ROOT.glob("functions/*/*.py"):
        module = ".".join(handler.relative_to(ROOT).with_suffix("").parts)
        assert not any(name.startswith(("stacks", "tests")) for name in sources.needed(module))
