"""The console before the shop, and its owner's browser."""

from tests.patchbay.console.conftest import browse as browse
from tests.patchbay.console.conftest import browser as browser
