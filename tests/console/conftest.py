"""The console's fixtures, for the shop."""

from tests.patchbay.console.conftest import browse as browse
from tests.patchbay.console.conftest import browser as browser
