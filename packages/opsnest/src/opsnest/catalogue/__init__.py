"""What the platforms have: one entry of data for each list, read by everything that needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opsnest.catalogue.cloud_bot import CLOUD_BOT
from opsnest.catalogue.entry import STRATEGIES, Catalogue, Entry, Paging, Strategy
from opsnest.catalogue.roost_ai import ROOST_AI
from opsnest.catalogue.rootly import ROOTLY

__all__ = ["CATALOGUES", "STRATEGIES", "Catalogue", "Entry", "Paging", "Strategy"]

#: The catalogues by the names that the command line has for their platforms.
CATALOGUES: Final[Mapping[str, Catalogue]] = {
    each.platform: each for each in (ROOST_AI, ROOTLY, CLOUD_BOT)
}
