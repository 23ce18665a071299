"""Roost.ai (RoostGPT): tests, test plans and the events that run them, under `/api`."""

from opssim.roost.quirks import RoostQuirks
from opssim.roost.simulator import RoostSimulator

__all__ = ["RoostQuirks", "RoostSimulator"]
