"""Bots and folders of the repository, made up."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from opssim.cloud_bot.stamps import stamp, uuid_of
from opssim.core.store import JsonObject

Workspace = Literal["PUBLIC", "PRIVATE"]

TASK_BOT = "application/vnd.aa.taskbot"
API_TASK = "application/vnd.aa.headlessbot"
_FOLDER = "application/vnd.aa.directory"
_ROOT = "Automation Anywhere\\Bots"

#: The folders below the root of each workspace.
FOLDERS = ("Finance", "Personalabteilung", "物流", "Customer care ☎", 'IT "legacy"')

_NAMES = (
    *("InvoiceBot", "Rechnungsprüfung", "請求書処理", "Onboarding ✨", "VendorMasterUpdate"),
    *("Bestellabgleich (EMEA)", "Café expenses", "顧客データ照合", "PasswordReset"),
    *('Sync "golden records"', "ClaimsIntake", "Zollanmeldung", "Recruiting 🧑‍💼", "StockAlerts"),
)
_FAILING = "ReconciliationFails"
_ANALYSES = ("NOT_SCANNED", "NO_VIOLATIONS", "LOW_SEVERITY_VIOLATIONS", None)


def new_folder(rng: random.Random, number: int, name: str, workspace: Workspace) -> JsonObject:
    """Make a row for a folder below the root."""
    return _file(
        rng,
        number,
        name,
        workspace,
        parent="2",
        folder_path=_ROOT,
        kind=_FOLDER,
    )


def new_bot(
    rng: random.Random, number: int, folder: JsonObject, *, nth: int, updated: datetime
) -> JsonObject:
    """Make a row for the `nth` bot, from 0: the second one fails, every fifth is an API task."""
    name = _FAILING if nth == 1 else _NAMES[nth % len(_NAMES)]
    if nth >= len(_NAMES):
        name = f"{name} {nth // len(_NAMES) + 1}"
    row = _file(
        rng,
        number,
        name,
        folder["workspaceType"],
        parent=folder["id"],
        folder_path=folder["path"],
        kind=API_TASK if nth % 5 == 4 else TASK_BOT,
    )
    row["lastModified"] = stamp(updated)
    return row


def _file(
    rng: random.Random,
    number: int,
    name: str,
    workspace: Workspace,
    *,
    parent: str,
    folder_path: str,
    kind: str,
) -> JsonObject:
    folder = kind == _FOLDER
    path = f"{folder_path}\\{name}"
    version = "0" if folder else str(rng.randrange(1, 30))
    public = workspace == "PUBLIC"
    rights = ("delete", "download", "clone", "upload", "run", "viewContent")
    return {
        "id": str(number),
        "parentId": parent,
        "name": name,
        "permission": {right: right != "delete" or not public for right in rights},
        "lastModified": "2024-05-01T08:00:00.123Z",
        "lastModifiedBy": "1",
        "path": path,
        "folder": folder,
        "folderCount": "0",
        "size": "0" if folder else str(rng.randrange(2_000, 900_000)),
        "type": kind,
        "productionVersion": version if public else "",
        "latestVersion": version,
        "locked": False,
        "lockedBy": "0",
        "createdBy": "1",
        "workspaceId": "2" if public else "3",
        "botStatus": "PUBLIC" if public else rng.choice(("NEW", "DRAFT", "CHECKED_OUT", "CLONED")),
        "hasErrors": rng.random() < 0.05,
        "workspaceType": workspace,
        "uri": "repository:///" + quote(path.replace("\\", "/")),
        "version": version,
        "hasTriggers": rng.random() < 0.1,
        "isEdited": not public and rng.random() < 0.5,
        "versionNumber": version,
        "botVersionLabel": "" if rng.random() < 0.7 else f"v{version}, geprüft",
        "codeAnalysisResult": "NOT_APPLICABLE" if folder else rng.choice(_ANALYSES),
        "uuid": uuid_of(rng),
        "tags": [] if rng.random() < 0.7 else [{"namespace": "team", "value": "Einkauf/購買"}],
        "typeLabel": "",
        "contentModifiedTimestamp": None,
        "resourceModifiedTimestamp": None,
    }
