"""A project's CDK app."""

from patchbay.app.system import add_services, synthesizing

__all__ = ["add_services", "synthesizing"]
