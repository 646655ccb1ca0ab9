"""Tests of every system of Patchbay, for the shop and for everything that is added to it."""

from patchbay.testkit.system_tests import *  # noqa: F403
