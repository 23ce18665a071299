"""dlt sources for the platforms that an operations team lives in."""

from __future__ import annotations

from opsnest.sources.cloud_bot import cloud_bot_source
from opsnest.sources.owlette import owlette_source
from opsnest.sources.roost_ai import roost_source
from opsnest.sources.rootly import rootly_incident_management_source

__all__ = [
    "cloud_bot_source",
    "owlette_source",
    "roost_source",
    "rootly_incident_management_source",
]
