"""A module that is only in a layer."""

HELLO = "watered"
