"""What holds for every system of Patchbay's holds for the shop, and for all that is added to it."""

from patchbay.testkit.system_tests import *  # noqa: F403
