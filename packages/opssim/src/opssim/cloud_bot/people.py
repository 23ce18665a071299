"""Users and roles of the Control Room, made up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from opssim.cloud_bot.stamps import moment_between, stamp
from opssim.core.store import JsonObject

_FIRST = (
    *("Jürgen", "Priya", "Zoë", "Łukasz", "Mei", "花子", "José", "Fatima", "Søren", "Олена"),
    *("Siobhán", "D'Angelo", "Thảo", "Amélie", "Kwame", "Renée"),
)
_LAST = (
    *("Müller", "Raman", "O'Neill", "Wójcik", "Lin", "山田", "García", "al-Sayed", "Ångström"),
    *("Шевченко", "van der Berg", "Nguyễn", "Lefèvre", "Mensah", "Smith-Jones"),
)
_ROLES = (
    ("AAE_Admin", "Manages the Control Room"),
    ("AAE_Basic", "Views what belongs to the user"),
    ("AAE_Bot Developer", "Develops bots in the private workspace"),
    ("AAE_Pool Admin", "Manages device pools"),
    ("AAE_Queue Admin", "Manages workload queues"),
    ("AAE_Meta Bot Designer", ""),
    ("Prüfung & Freigabe", 'Signs off what is "ready for production"'),
    ("経理部", "Runs the bots of the finance department\n(東京)"),
)
_LICENSES = ("DEVELOPMENT", "RUNTIME", "ATTENDEDRUNTIME", "IQBOTRUNTIME", "ANALYTICSCLIENT")


def new_role(rng: random.Random, number: int, created: datetime) -> JsonObject:
    """Make a row of the role list: the roles that come with a Control Room, then custom ones."""
    known = number <= len(_ROLES)
    name, text = _ROLES[number - 1] if known else (f"Custom role {number}", "")
    return {
        "id": str(number),
        "name": name,
        "description": text,
        "countPrincipals": rng.randrange(20),
        "version": 1,
        "createdBy": "1",
        "createdOn": stamp(created),
        "updatedBy": "1",
        "updatedOn": stamp(created),
        "systemRole": name.startswith("AAE_"),
        "enabled": True,
    }


def new_user(
    rng: random.Random,
    number: int,
    created: datetime,
    updated: datetime,
    *,
    roles: Sequence[JsonObject],
    username: str | None = None,
) -> JsonObject:
    """Make a row of the user list: a runner's account or a person's, in turns.

    Args:
        rng: what to choose with.
        number: the id.
        created: when the user was added.
        updated: when the user was changed last.
        roles: rows of the role list to choose the user's from; the first is the admin's.
        username: the name of an account that is to be an administrator.
    """
    runner = username is None and number % 2 == 0
    first, last = ("Runner", str(number)) if runner else (rng.choice(_FIRST), rng.choice(_LAST))
    name = username or (f"runner{number}" if runner else f"user.{number:03d}")
    own = roles[0] if username else rng.choice(roles[1:])
    return {
        "id": str(number),
        "username": name,
        "firstName": first,
        "lastName": last,
        "description": "" if rng.random() < 0.7 else f'{first} "{last}"\nsince {created.year} ✅',
        "disabled": username is None and not runner and rng.random() < 0.15,
        "clientRegistered": runner,
        "createdBy": "1",
        "createdOn": stamp(created),
        "updatedBy": "1",
        "updatedOn": stamp(updated),
        "roles": [{"id": own["id"], "name": own["name"]}],
        "permissions": [],
        "licenseFeatures": ["RUNTIME"] if runner else rng.sample(_LICENSES, k=rng.randrange(3)),
        "version": rng.randrange(9),
        "principalId": "",
        "domain": "",
        "email": f"{name}@example.com",
        "emailVerified": rng.random() < 0.9,
        "passwordSet": True,
        "questionsSet": rng.random() < 0.5,
        "enableAutoLogin": runner,
        "lastLoginTime": None
        if rng.random() < 0.2
        else stamp(moment_between(rng, created, updated)),
        "groupNames": [],
        "sysAssignedRoles": [],
        "apiKeyCreatedOn": stamp(created) if username else None,
        "apiKeyExpirationTime": stamp(created + timedelta(days=1095)) if username else None,
        "appType": "CONTROL_ROOM",
    }
