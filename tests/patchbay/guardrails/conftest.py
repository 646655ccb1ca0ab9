"""The synthesized templates of each stage."""

from tests.stacks.conftest import templates as templates
