"""Event-driven systems on AWS: built, tested before they are deployed, run, and operated."""

__version__ = "1.0.0"
