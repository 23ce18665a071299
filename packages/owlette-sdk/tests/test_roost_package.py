"""What the package promises: one dependency, types, all its names, and a quick import."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from statistics import median

import pytest

import roost

#: The names that the reference of the SDK gives; there are more.
_NAMES = """
Account AccountApiKeys AccountKeyContext AddRole ApiKeyRecord ApiKeyScope ApiResponse
ApiVersionResponse CHUNK_SIZE_BYTES Chat ChunkDescriptor ChunkProgressEvent ChunkedFileEntry
Chunks CommandStatus CommandType ControlVerb ConversationSummary DEFAULT_API_URL
DEFAULT_REPLAY_TOLERANCE_SECONDS DEFAULT_ROOST_VERSION DeployOptions DeployResult Deployments
DiscoverProgress Environment HashProgress Installer InstallerDeploymentDetail
InstallerDeploymentSummary InstallerDeploymentTarget InstallerDeployments InstallerVersion Keys
MachineDeployment MachineDetail MachineSummary Machines Member Members PerSiteRole PlatformUser
ProcessRecord Processes PromoteRole PushOptions PushResult QuotaHistoryDay QuotaSnapshot Quotas
RetryPolicy RollbackOptions RollbackResult Roost RoostApiError RoostClient RoostDetail
RoostSummary Roosts SDK_VERSION ScheduleMode Site Sites Users VerifyReason VerifySignatureResult
VersionSummary Versions WebhookSubscription Webhooks WhoamiResponse __version__ is_signature_valid
sign_body verify_signature
"""
PAGE = set(_NAMES.split())


def test_httpx_is_the_only_dependency() -> None:
    assert requires("owlette-sdk") == ["httpx>=0.27"]


def test_types_are_shipped() -> None:
    assert (Path(str(roost.__file__)).parent / "py.typed").exists()


def test_all_names_of_the_page_are_there() -> None:
    assert len(PAGE) == 75
    assert PAGE - set(roost.__all__) == set()
    assert [name for name in roost.__all__ if not hasattr(roost, name)] == []


def test_names_come_from_where_type_checkers_see_them() -> None:
    tree = ast.parse(Path(str(roost.__file__)).read_text())
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        str(node.module): tuple(each.name for each in node.names)
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
    }
    assert seen == roost._PLACES  # pyright: ignore[reportPrivateUsage]
    names = {name for every in seen.values() for name in every}
    assert {*names, "__version__"} == set(roost.__all__)
    assert set(roost.__all__) <= set(dir(roost))
    with pytest.raises(AttributeError, match="module 'roost' has no attribute 'Rooster'"):
        roost.Rooster  # noqa: B018


def test_the_modules_that_are_imported_from_are_there() -> None:
    code = (
        "import roost.client, roost.signature, roost._chunker, roost.sync, roost.testing\n"
        "from roost.resources.roosts import PushProgressEvent\n"
        "from roost.resources import (account, chat, chunks, deployments, events, installer,\n"
        "    installer_deployments, keys, machines, members, processes, quotas, roosts, sites,\n"
        "    users, versions, webhooks)\n"
        "import sys\n"
        "print({'dlt', 'opsnest', 'restarrow', 'pyarrow', 'msgspec'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "set()\n"


def test_everything_public_is_explained() -> None:
    silent = [
        name
        for name in roost.__all__
        if isinstance(getattr(roost, name), type) and not getattr(roost, name).__doc__
    ]
    assert silent == []


def _seconds(module: str) -> float:
    """Return how long a fresh Python takes to import a module, itself not counted."""
    code = (
        "import time; began = time.perf_counter()\n"
        f"import {module}\n"
        "print(time.perf_counter() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    return float(done.stdout)


def test_importing_it_takes_no_longer_than_httpx() -> None:
    rounds = [(_seconds("httpx"), _seconds("roost")) for _ in range(5)]
    assert median(ours / theirs for theirs, ours in rounds) < 1.3


def test_the_file_of_types_uses_every_name() -> None:
    used = (Path(__file__).parent / "typing" / "public_api.py").read_text()
    assert [name for name in roost.__all__ if f"roost.{name}" not in used] == []
