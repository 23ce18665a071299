"""Cloud bot: bots and their runs, from an Automation Anywhere Automation 360 Control Room.

What is read, and how, is in `opsnest.catalogue.cloud_bot`. The lists are the published ones.
dltHub's page names others (`GET v3/automations`, `v1/robots`) that no published Control Room API
has; `api="seed"` asks those instead, for servers that have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

import dlt
from dlt.common.typing import TSecretStrValue

from opsnest.catalogue import Catalogue
from opsnest.catalogue.cloud_bot import CLOUD_BOT
from opsnest.control_room import ControlRoomLogin
from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opsnest.reading import Api, Lists
from opsnest.reading.parts import Span
from opsnest.secret_scan import choice_of
from opsnest.sources.cloud_bot_dialect import CloudBotDialect
from opsnest.sources.cloud_bot_rows import cleaner_of
from opsnest.sources.cloud_bot_seed import seed_resources

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["cloud_bot_source"]

SOURCE: Final = CLOUD_BOT.source

ADVICE: dict[int, str] = {
    400: "The Control Room does not know this request: its release may be older or newer than the "
    "ones this was made for. Please report it with this message.",
    401: f"Check `username` and `api_key` (or `password`) under [sources.{SOURCE}] in "
    ".dlt/secrets.toml; API keys can expire.",
    403: "The user's role lacks the permission to view this: give it, or leave the resource out.",
}

_VERSION: Final = re.compile(r"v\d+")


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def cloud_bot_source(  # noqa: PLR0913 - each is a setting, with its default
    control_room_url: str = dlt.config.value,
    username: str = dlt.secrets.value,
    api_key: TSecretStrValue | None = None,
    password: TSecretStrValue | None = None,
    api: Literal["published", "seed"] = "published",
    workspace: Literal["public", "private"] = "public",
    automation_ids: Sequence[str] = (),
    execution_ids: Sequence[str] = (),
    *,
    versions: Mapping[str, str] | None = None,
    secrets_in_rows: str = "mask",
    between: Span | None = None,
) -> Iterator[DltResource]:
    """Load a Control Room's bots (`automations`), runs (`executions`), `users` and `robots`.

    Each list of the published API is a resource and a table of its name; `opsnest sources
    cloud-bot` names them all, with how each is asked for only what changed. Runs are asked for by
    the time of their last change, so that one which was running is loaded again when it has ended.
    `automations` are the files of the public workspace, folders included (`folder` tells). `robots`
    is a snapshot of the devices and is replaced. `automation` and `execution` cost a call for each
    bot or run that has changed, and `audit_messages` is long: choose them with `with_resources`, or
    give ids.

    Args:
        control_room_url: the address of the Control Room.
        username: the user to log in as.
        api_key: its API key, or
        password: its password.
        api: `published` for the Control Room's published lists, `seed` for those that dltHub's page
            for Cloud bot names.
        workspace: whose files are the `automations`.
        automation_ids: fetch `automation` for these only.
        execution_ids: fetch `execution` for these only.
        versions: other versions of the endpoints of some lists, as the release of the Control Room
            has them, such as `{"users": "v1", "wlm_queues": "v4"}`.
        secrets_in_rows: what to do with secrets that people pasted into texts: `mask` them and
            warn, only `warn`, or `keep` them without a word.
        between: load what was made in this span of time alone: two times with a time zone, the
            second of which is not in it. Lists that cannot be asked for that are left out. How far
            lists were loaded before is neither looked at nor moved.

    Raises:
        ConfigurationError: an argument is missing or makes no sense.
    """
    if api not in {"published", "seed"}:
        message = f"{SOURCE}: api={api!r} is not known.\n  Use 'published' or 'seed'."
        raise ConfigurationError(message)
    catalogue = _catalogue(workspace, versions or {})
    session = ApiSession(control_room_url, source=SOURCE, key=username)
    session.auth = ControlRoomLogin(
        session,
        control_room_url,
        username,
        api_key=api_key,
        password=password,
        source=SOURCE,
        advice=ADVICE,
    )
    ids = {"automation": list(automation_ids), "execution": list(execution_ids)}
    if api == "seed":
        if between is not None:
            message = (
                f"{SOURCE}: the lists of the seed page cannot be asked for a span of time.\n"
                "  Leave out `between`, or api='seed'."
            )
            raise ConfigurationError(message)
        client: Any = {"base_url": control_room_url, "session": session}
        yield from seed_resources(client, ADVICE, ids, choice_of(secrets_in_rows, SOURCE))
        return
    lists = Lists(
        catalogue,
        Api(session, control_room_url, source=SOURCE, advice=ADVICE),
        CloudBotDialect(),
        cleaner_of,
        given=ids,
        secrets_in_rows=secrets_in_rows,
        between=between,
    )
    yield from map(lists.resource, catalogue.entries)


def _catalogue(workspace: str, versions: Mapping[str, str]) -> Catalogue:
    """Return the catalogue with the paths that a Control Room has.

    Raises:
        ConfigurationError: there is no such workspace, list or version.
    """
    if workspace not in {"public", "private"}:
        message = f"{SOURCE}: workspace={workspace!r} is not known.\n  Use 'public' or 'private'."
        raise ConfigurationError(message)
    for name, version in versions.items():
        if name not in CLOUD_BOT.by_name:
            message = (
                f"{SOURCE}: versions names {name!r}, which is no list.\n"
                f"  There are: {', '.join(CLOUD_BOT.by_name)}."
            )
            raise ConfigurationError(message)
        if not _VERSION.fullmatch(version):
            message = (
                f"{SOURCE}: the version {version!r} of {name} is none.\n"
                "  Versions are written like 'v2'."
            )
            raise ConfigurationError(message)
    entries = [
        replace(entry, path=_VERSION.sub(versions[entry.name], entry.path, count=1))
        if entry.name in versions
        else entry
        for entry in CLOUD_BOT.entries
    ]
    if workspace == "private":
        entries = [
            replace(entry, path=entry.path.replace("/public/", "/private/")) for entry in entries
        ]
    return replace(CLOUD_BOT, entries=tuple(entries))
