"""Cloud bot: the lists of an Automation Anywhere Automation 360 Control Room.

Facts are from a Control Room's own OpenAPI files and from public clients: servers cap pages below
what was asked (400 audit rows, 10,000 runs), `totalFilter` can be 0 beside rows, a run that has not
ended "ends" in 1970 or in an empty string, and times have nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from opsnest.catalogue.entry import BETWEEN, SECRETS_IN_ROWS, Catalogue, Entry

__all__ = ["CLOUD_BOT"]

SOURCE: Final = "cloud_bot_source"

#: How a list of the protocol is asked: posted, and all rows counted in `page.total`.
_POSTED: Final[Mapping[str, Any]] = {
    "method": "POST",
    # a list without rows may be left out, as protocol buffers do it
    "holds": ("list", "page"),
    "total": "page.total",
    # below every cap that is known, bar that of the audit log
    "page_size": 1000,
}
_MADE: Final = ("createdOn", "updatedOn")
#: The statuses that a run leaves again. UPDATE is what a running one has.
_UNDER_WAY: Final = (
    *("DEPLOYED", "QUEUED", "PENDING_EXECUTION"),
    *("RUNNING", "UPDATE", "RUN_PAUSED"),
)


def _list(name: str, path: str, **facts: Any) -> Entry:
    """Return a list that is read whole, unless `facts` say otherwise."""
    said: dict[str, Any] = {**_POSTED, "paging": "offset", **facts}
    return Entry(name=name, path=path, **said)


def _keyset(name: str, path: str, cursor: str, **facts: Any) -> Entry:
    """Return a list that can be filtered and sorted by the time of a change."""
    facts |= {"cursor": cursor, "filter": cursor, "sort": cursor, "slice_filter": "createdOn"}
    return _list(name, path, paging="keyset", **facts)


_FILES: Final = "v2/repository/workspaces/{}/files/list"
_FILE: Final[Mapping[str, Any]] = {
    "cursor": "lastModified",
    "times": ("lastModified", "contentModifiedTimestamp", "resourceModifiedTimestamp"),
    "text": ("id",),
}
_RUN: Final[Mapping[str, Any]] = {
    "times": ("startDateTime", "endDateTime", "createdOn", "modifiedOn"),
    # it holds the headers of the call, in the answer for a single run
    "secrets": ("callbackInfo",),
    # a bot names its variables as it likes: as columns they would be without number
    "json": ("botOutVariables",),
}

ENTRIES: Final = (
    _list(
        "automations",
        _FILES.format("public"),
        **_FILE,
        selected=True,
        note="The files of the public workspace, folders included: `folder` tells.",
    ),
    _keyset(
        "executions",
        "v3/activity/list",
        "modifiedOn",
        strategy="changed",
        counts="v3/activity/metrics",
        under_way=("status", _UNDER_WAY),
        under_way_by="deploymentId",
        **_RUN,
        selected=True,
        note="Runs that were under way are asked for again until they have ended.",
    ),
    _list(
        "users",
        "v2/usermanagement/users/list",
        cursor="updatedOn",
        times=(*_MADE, "lastLoginTime", "apiKeyCreatedOn", "apiKeyExpirationTime"),
        text=("id", "createdBy", "updatedBy", "roles[].id", "sysAssignedRoles[].id"),
        selected=True,
    ),
    _list(
        "robots",
        "v2/devices/list",
        strategy="snapshot",
        cursor="updatedOn",
        times=("updatedOn",),
        # numbers in rows of some agents, and text in those of others
        text=("id", "logConfiguration.logFileSize", "logConfiguration.numberOfLogFile"),
        selected=True,
        note="The devices. Older Control Rooms do not tell when they changed.",
    ),
    _keyset(
        "audit_messages",
        "v1/audit/messages/list",
        "createdOn",
        strategy="appended",
        times=("createdOn",),
        note="A Control Room answers with 400 rows at most.",
    ),
    Entry(
        name="automation",
        path=_FILES.format("public"),
        method="POST",
        holds=("list", "page"),
        total=None,
        key=("id",),
        paging="none",
        filter="id",
        **_FILE,
        parent="automations",
        parent_key="id",
        of_changed=True,
        note="Costs a call for each file that has changed; `automation_ids` names some.",
    ),
    Entry(
        name="execution",
        path="v3/activity/execution/{id}",
        holds=("id",),
        total=None,
        key=("id",),
        paging="none",
        cursor="modifiedOn",
        **_RUN,
        parent="executions",
        parent_key="id",
        of_changed=True,
        note="Adds `botOutVariables`. Costs a call for each run that has changed; "
        "`execution_ids` names some.",
    ),
    _list(
        "roles",
        "v2/usermanagement/roles/list",
        cursor="updatedOn",
        times=_MADE,
        text=("id", "createdBy", "updatedBy"),
    ),
    _list("device_pools", "v2/devices/pools/list", text=("id",)),
    _list("run_as_users", "v1/devices/runasusers/list"),
    _list(
        "schedules",
        "v2/schedule/automations/list",
        cursor="updatedOn",
        times=(*_MADE, "zonedNextRunDateTime"),
    ),
    _list(
        "wlm_queues",
        "v3/wlm/queues/list",
        cursor="updatedOn",
        times=(*_MADE, "expiry"),
        text=("id",),
    ),
    _keyset(
        "wlm_work_items",
        "v3/wlm/queues/{queueId}/workitems/list",
        "updatedOn",
        strategy="changed",
        key=("queueId", "id"),
        parent="wlm_queues",
        parent_key="queueId",
        times=(*_MADE, "startTime", "endTime", "deferredUntil", "lastPausedTime"),
        text=("id",),
        json=("json",),
        note="Each queue is asked for the items that have changed in it.",
    ),
    _list(
        "wlm_models",
        "v3/wlm/workitemmodels/list",
        cursor="updatedOn",
        times=_MADE,
        text=("id",),
    ),
    _list("license_products", "v2/license/product/list"),
    _list(
        "private_files",
        _FILES.format("private"),
        **_FILE,
        note="The files of the user's private workspace.",
    ),
    Entry(
        name="bot_runs",
        path="v2/botinsight/data/api/getbotrundata",
        holds=("botRunDataList",),
        # `totalRecords` counts the rows of the answer at times
        total=None,
        paging="number",
        page_size=1000,
        strategy="appended",
        cursor="startDate",
        filter="fromDate",
        # they are listed by their start, and only when they have ended
        lookback=timedelta(days=1),
        times=("startDate", "endDate"),
        text=("id",),
        note="Runs as Bot Insight has them: it lists those that have ended, by their start. One "
        "that takes longer than a day may be missing; `executions` has it.",
    ),
)

CLOUD_BOT: Final = Catalogue(
    platform="cloud-bot",
    title="Cloud bot (Automation Anywhere A360)",
    source=SOURCE,
    about="Bots, their runs and who may run them, from an Automation 360 Control Room.",
    entries=ENTRIES,
    settings=(
        ("control_room_url", "config", "the address of the Control Room"),
        ("username", "secrets", "the user to log in as, best one of its own"),
        ("api_key", "secrets", "its API key, or"),
        ("password", "secrets", "its password"),
        (
            "api",
            "argument",
            "`published` (default), or `seed` for the lists that dltHub's page names",
        ),
        ("workspace", "argument", "whose files are the `automations`: `public` or `private`"),
        ("automation_ids", "argument", "fetch `automation` for these files only"),
        ("execution_ids", "argument", "fetch `execution` for these runs only"),
        (
            "versions",
            "argument",
            'other versions of endpoints, such as `{"users": "v1", "wlm_queues": "v4"}`',
        ),
        SECRETS_IN_ROWS,
        BETWEEN,
    ),
    troubles=(
        (
            "401, the credentials were not accepted",
            (
                f"Check `username` and `api_key` (or `password`) under `[sources.{SOURCE}]`; API "
                "keys can expire."
            ),
        ),
        (
            "403 for a list",
            "The user's role lacks the permission to view it: give it, or leave the list out.",
        ),
        (
            "404 for a list",
            "The release of the Control Room has another version of it: name it in `versions`.",
        ),
        (
            "other sessions of the user end",
            "Opsnest logs in beside them; another program does not. Give each a user of its own.",
        ),
    ),
)
