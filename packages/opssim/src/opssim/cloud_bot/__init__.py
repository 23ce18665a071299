"""The Control Room of Automation Anywhere A360 ("Cloud bot"), simulated.

Sources: the Control Room's published OpenAPI files and documentation, and what public clients
found out about its habits.
"""

from opssim.cloud_bot.quirks import CloudBotQuirks
from opssim.cloud_bot.simulator import CloudBotSimulator

__all__ = ["CloudBotQuirks", "CloudBotSimulator"]
