"""What the platforms have: one entry of data for each list, read by everything that needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opsnest.catalogue.cloud_bot import CLOUD_BOT
from opsnest.catalogue.entry import DELETED, STRATEGIES, Catalogue, Entry, Paging, Strategy, how
from opsnest.catalogue.owlette import OWLETTE
from opsnest.catalogue.roost_ai import ROOST_AI
from opsnest.catalogue.rootly import ROOTLY

__all__ = ["CATALOGUES", "DELETED", "STRATEGIES", "Catalogue", "Entry", "Paging", "Strategy", "how"]

#: The catalogues by the names that the command line has for their platforms.
CATALOGUES: Final[Mapping[str, Catalogue]] = {
    each.platform: each for each in (ROOST_AI, ROOTLY, CLOUD_BOT, OWLETTE)
}
