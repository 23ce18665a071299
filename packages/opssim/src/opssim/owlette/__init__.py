"""Owlette, simulated: the control plane that publishes builds to fleets of machines.

Written from the public contract of the API, and with none of the code that calls it.
"""

from opssim.owlette.habits import OwletteHabits
from opssim.owlette.simulator import OwletteSimulator

__all__ = ["OwletteHabits", "OwletteSimulator"]
