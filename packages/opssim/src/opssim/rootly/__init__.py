"""Rootly's incident management API, version 1, as its OpenAPI document and its clients know it."""

from opssim.rootly.app import RootlySimulator
from opssim.rootly.quirks import RootlyQuirks

__all__ = ["RootlyQuirks", "RootlySimulator"]
