"""How the lists of a catalogue are read: one strategy for each way of asking for what changed."""

from __future__ import annotations

from opsnest.reading.api import Api
from opsnest.reading.memory import Memory
from opsnest.reading.reading import Ask, Dialect, Reading
from opsnest.reading.resources import Lists, watching_lists
from opsnest.reading.strategies import read

__all__ = ["Api", "Ask", "Dialect", "Lists", "Memory", "Reading", "read", "watching_lists"]
