"""The APIs of Rootly, Roost.ai, Automation Anywhere A360 and Owlette, simulated on loopback.

Importing this is cheap, because pytest does it in every project that has opssim installed: a
name is looked up in its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opssim.cloud_bot import CloudBotQuirks, CloudBotSimulator
    from opssim.core.churn import Churn
    from opssim.core.faults import Fault
    from opssim.core.server import Running, serve
    from opssim.core.simulator import Simulator
    from opssim.owlette import OwletteHabits, OwletteSimulator
    from opssim.roost import RoostQuirks, RoostSimulator
    from opssim.rootly import RootlyQuirks, RootlySimulator

__all__ = [
    "Churn",
    "CloudBotQuirks",
    "CloudBotSimulator",
    "Fault",
    "OwletteHabits",
    "OwletteSimulator",
    "RoostQuirks",
    "RoostSimulator",
    "RootlyQuirks",
    "RootlySimulator",
    "Running",
    "Simulator",
    "serve",
]

_MODULES = {
    "Churn": "opssim.core.churn",
    "CloudBotQuirks": "opssim.cloud_bot",
    "CloudBotSimulator": "opssim.cloud_bot",
    "Fault": "opssim.core.faults",
    "OwletteHabits": "opssim.owlette",
    "OwletteSimulator": "opssim.owlette",
    "RoostQuirks": "opssim.roost",
    "RoostSimulator": "opssim.roost",
    "RootlyQuirks": "opssim.rootly",
    "RootlySimulator": "opssim.rootly",
    "Running": "opssim.core.server",
    "Simulator": "opssim.core.simulator",
    "serve": "opssim.core.server",
}


def __getattr__(name: str) -> object:
    """Return a public name, from the module that has it."""
    module = _MODULES.get(name)
    if module is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
