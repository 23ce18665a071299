"""Manifests and their paths: canonical JSON is stable, and no file leads out of its folder."""

from __future__ import annotations

import json
import os.path
from pathlib import PureWindowsPath
from typing import Any

from fuzz.taking import Taker
from roost import PullError
from roost._paths import api_path
from roost._push import pull
from roost._push.assembly import place_of
from roost._push.manifest import canonical, manifest_bytes, version_id_of
from roost._push.rules import path_problem

ALLOWED = (PullError,)

ROOT = "/a/folder"


def one(data: bytes) -> None:
    """Read a manifest that a server gave, and write it as the server does."""
    taker = Taker(data)
    path = taker.line().decode("utf-8", "surrogateescape")
    _check_path(path)
    value = taker.json()
    written = canonical(value)
    again: Any = json.loads(written)
    assert canonical(again) == written, value
    assert version_id_of(written) == version_id_of(canonical(again))
    for manifest in (value, {"files": [{"path": path, "size": 1, "chunks": value}]}):
        try:
            version = pull._read("vrs_1", 1, manifest)  # pyright: ignore[reportPrivateUsage]
        except ALLOWED:
            continue
        for entry in version.entries:
            _check_path(entry.path)
            assert path_problem(entry.path) is None
        manifest_bytes(version.entries)


def _check_path(path: str) -> None:
    try:
        asked = api_path("roosts", path)
    except ValueError:
        pass
    else:
        assert asked.count("/") == 3, path
    if path_problem(path) is not None:
        return
    where = os.path.normpath(place_of(ROOT, path))
    assert where.startswith(f"{ROOT}/"), path
    on_windows = PureWindowsPath(path)
    assert not on_windows.drive, path
    assert not on_windows.root, path
    assert ".." not in on_windows.parts, path
