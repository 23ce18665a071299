"""Devices, device pools and run-as users, made up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

from opssim.cloud_bot.stamps import stamp
from opssim.core.store import JsonObject

STATUSES = ("CONNECTED", "CONNECTED", "CONNECTED", "DISCONNECTED", "OFFLINE")
_VERSIONS = ("21.210", "22.30.10", "22.60.7", "22.100.1")
_LOG_LEVELS = ("INFO", "DEBUG", "TRACE", "DEVICE", "OFF")


def new_device(
    rng: random.Random, number: int, user: JsonObject, *, older: bool, updated: datetime
) -> JsonObject:
    """Make a row of the device list, in the form of an older Control Room or of a newer one."""
    row: JsonObject = {
        "id": str(number),
        "type": rng.choice(("BOT_RUNNER", "BOT_CREATOR")),
        "hostName": f"WIN-RUNNER-{number:02d}",
        "userId": user["id"],
        "userName": user["username"],
        "status": rng.choice(STATUSES),
        "botAgentVersion": rng.choice(_VERSIONS),
        "poolName": "",
    }
    if older:
        return row
    level = rng.choice(_LOG_LEVELS)
    shared = rng.random() < 0.3
    row |= {
        "type": "MULTIPLE_USERS" if shared else "SINGLE_USER",
        "nickname": None if rng.random() < 0.6 else f"Büro {number} 🖥️",
        "lifespan": "PERSISTENT" if rng.random() < 0.8 else "TEMPORARY",
        "installationType": "SYSTEM_WIDE" if shared else "USER_SPECIFIC",
        "hostType": "CUSTOMER_WINDOWS",
        "deploymentType": "RDP" if shared else "REGULAR",
        "defaultUsers": [{name: user[name] for name in ("id", "username", "domain")}],
        "updatedBy": "1",
        "updatedOn": stamp(updated),
        "description": None if rng.random() < 0.5 else 'Under the desk, "do not touch"',
        "maxCount": 5 if shared else 1,
        "logLevel": level,
        "logConfiguration": {
            # numbers in rows of one agent, strings in those of another
            "logFileSize": 40 if shared else "40",
            "numberOfLogFile": 10 if shared else "10",
            "logCollectorEnabled": rng.random() < 0.2,
            "logLevel": level,
            "level": level,
        },
        "botAgentDebugApiVersion": 3,
    }
    return row


def new_pool(rng: random.Random, number: int, devices: Sequence[JsonObject]) -> JsonObject:
    """Make a row of the pool list. Its counts are strings."""
    return {
        "id": str(number),
        "name": f"Pool {number}: {rng.choice(('nightly', 'tagsüber', '月末'))}",
        "status": "CONNECTED",
        "detailedStatus": "ALL_CONNECTED",
        "automationCount": str(rng.randrange(12)),
        "ownerIds": ["1"],
        "deviceCount": str(len(devices)),
        "deviceIds": [device["id"] for device in devices],
        "poolType": rng.choice(("ATTENDED", "UNATTENDED")),
    }


def new_run_as_user(device: JsonObject) -> JsonObject:
    """Make the row of the run-as user whose default device this is. Its id is a number."""
    return {
        "id": int(device["userId"]),
        "username": device["userName"],
        "device": device["hostName"],
        "deviceId": device["id"],
    }
