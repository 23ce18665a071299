"""All endpoints, in the order in which they are looked for."""

from __future__ import annotations

from typing import Final

from opssim.owlette import (
    accounts,
    chat,
    chunks,
    commands,
    deployments,
    distributions,
    events,
    installer,
    installer_deployments,
    logs,
    machines,
    pairing,
    platform,
    presets,
    processes,
    publishing,
    quotas,
    roosts,
    sites,
    users,
    versions,
    webhooks,
)
from opssim.owlette.endpoint import Endpoint

_ROOMS: Final = (
    accounts,
    sites,
    quotas,
    machines,
    commands,
    processes,
    installer_deployments,
    distributions,
    presets,
    logs,
    roosts,
    versions,
    publishing,
    deployments,
    chunks,
    webhooks,
    chat,
    events,
    installer,
    users,
    pairing,
    platform,
)

ENDPOINTS: Final[tuple[Endpoint, ...]] = tuple(each for room in _ROOMS for each in room.ENDPOINTS)
