"""Owlette: fleets of machines, what is published to them, and what became of it.

Everything is read through the SDK (`roost.RoostSync`); `owlette_reading` says how. What
has an order is read only as far as it is new: versions never change, so that their files are read
once, and logs are read from the newest to what was loaded before.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import dlt

from opsnest.accounts import account_of
from opsnest.catalogue import Entry
from opsnest.catalogue.owlette import OWLETTE
from opsnest.destinations import fitting
from opsnest.errors import (
    AccessError,
    AnswerError,
    ConfigurationError,
    RateLimitError,
    SourceError,
    UnreachableError,
)
from opsnest.journal import journal_of
from opsnest.journal.transport import JournalTransport
from opsnest.json_values import is_list, is_object
from opsnest.rows import DEEP, Cleaning, cleaner
from opsnest.secret_scan import Choice, SecretScan, choice_of
from opsnest.sources.owlette_reading import (
    CALLS_AN_HOUR,
    SOURCE,
    STEPS,
    Reading,
    Row,
    is_switched_off,
    walk,
)
from restarrow.nesting import depth_of
from roost import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RetryDetails,
    RoostApiError,
    RoostError,
    RoostSync,
    RoostTransportError,
)

if TYPE_CHECKING:
    from dlt.extract import DltResource

__all__ = ["OWLETTE_API", "owlette_source"]

OWLETTE_API: Final = "https://owlette.app"
#: Seconds from which on a wait is told.
_LONG_WAIT: Final = 10.0
#: Rows that are looked at for secrets at once.
_BATCH: Final = 100

logger = logging.getLogger(__name__)

#: Parameters of URLs that are a permission of their own.
_SIGNATURES: Final = frozenset(
    {
        "access_token",
        "api_key",
        "key",
        "sig",
        "signature",
        "token",
        "x-amz-signature",
        "x-goog-signature",
    }
)
_URL: Final = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\\]+""")
#: API keys and signing secrets.
_SECRET: Final = re.compile(r"(?:owk|whsec)_[A-Za-z0-9_-]{16,}")


@dlt.source(name=SOURCE, section=SOURCE, root_key=True)
def owlette_source(
    token: str = dlt.secrets.value,
    api_url: str = OWLETTE_API,
    site_ids: Sequence[str] | None = None,
    call_budget: int = CALLS_AN_HOUR,
    spread: bool = False,  # noqa: FBT001, FBT002 - dlt's settings come by name
    secrets_in_rows: str = "mask",
) -> Iterator[DltResource]:
    """Load Owlette's sites, machines, roosts and what happens to them.

    All resources are merged on their keys. What the key may not read is left out with a warning,
    unless it was chosen with `with_resources`: then it is an error.

    Args:
        token: an API key, `owk_...`. It needs `read` on `site`, `roost` and `machine`; users and
            members, the audit log and installer deployments need an administrator's.
        api_url: where the API is.
        site_ids: the sites to load; all that the key may read without any.
        call_budget: calls that `processes` may make, one for each machine; Owlette allows a key 300
            an hour. A load that needs more is refused before it begins.
        spread: wait for the hours that it takes instead.
        secrets_in_rows: what to do with secrets that people pasted into texts: `mask` them and
            warn, only `warn`, or `keep` them without a word.
    """
    choice = choice_of(secrets_in_rows, SOURCE)

    def reading(client: RoostSync) -> Reading:
        return Reading(client, tuple(site_ids or ()), call_budget, spread, _was_chosen())

    def client(resource: str) -> RoostSync:
        try:
            return RoostSync(
                token=token,
                api_url=api_url.rstrip("/"),
                transport=_transport(OWLETTE.by_name[resource], (api_url, token), choice),
                on_retry=_tell_wait,
            )
        except ValueError as error:
            advice = f"Check `token` and `api_url` under [sources.{SOURCE}]."
            msg = f"{SOURCE}: {error}.\n  {advice}"
            raise ConfigurationError(msg) from error

    for entry in OWLETTE.entries:
        yield dlt.resource(
            _rows(entry, client, reading, SecretScan(SOURCE, entry.name, choice, entry.key)),
            name=entry.name,
            primary_key=list(entry.key),
            write_disposition="merge",
            columns={column: {"data_type": "json"} for column in entry.json},
        )


def _rows(
    entry: Entry,
    connect: Callable[[str], RoostSync],
    begin: Callable[[RoostSync], Reading],
    scan: SecretScan,
) -> Callable[[], Iterator[Row]]:
    """Return what yields the rows of a resource, with errors that say what to do."""
    clean = cleaner(Cleaning(json=entry.json, secrets=entry.secrets, nulls_within=DEEP))

    def rows() -> Iterator[Row]:
        count, fit = 0, fitting(entry.name)
        try:
            with connect(entry.name) as client:
                reading = begin(client)
                walked = walk(reading, {}, STEPS[entry.name])
                # to look at a row by itself costs a hundred times as much as at one of many
                while batch := [_cleaned(entry, clean, row) for row in islice(walked, _BATCH)]:
                    count += len(batch)
                    scan.all_rows(batch)
                    yield from map(fit, batch) if fit else batch
        except RoostError as error:
            raise _explained(entry.name, error) from error
        scan.report()
        if reading.refused:
            first, *others = reading.refused
            logger.warning(
                "%s / %s is left out%s: %s%s",
                SOURCE,
                entry.name,
                " in part" if count else "",
                first,
                f" (and {len(others)} more)" if others else "",
            )

    return rows


def _cleaned(entry: Entry, clean: Callable[[Row], Row], row: Row) -> Row:
    """Return a row without what is secret and what is null.

    Raises:
        AnswerError: it is nested too deeply.
    """
    if (depth := depth_of(row)) > DEEP:
        problem = f"a row is nested {depth:,} levels deep, and none has more than {DEEP}"
        advice = "Nothing of it was loaded. Leave the resource out, and report it."
        raise AnswerError(SOURCE, entry.name, "GET", "/api", problem, advice)
    return clean(without_signatures(row))


def _transport(entry: Entry, whose: tuple[str, str], choice: Choice) -> JournalTransport | None:
    """Return what keeps the answers of a load, where they are kept; else the SDK's own is used."""
    if journal_of(SOURCE) is None:
        return None
    # on the way to the rows of a list, others are read
    secrets = {*entry.secrets, *OWLETTE.by_name["webhooks"].secrets}

    def bare(payload: Any) -> Any:
        return _without_signature(_without(payload, secrets))

    return JournalTransport(
        SOURCE, entry.name, bare, account=account_of(*whose), keeps_secrets=choice == "keep"
    )


def _without(payload: Any, names: Collection[str]) -> Any:
    """Return an answer without the members of these names, wherever they are."""
    if is_object(payload):
        left = ((name, value) for name, value in payload.items() if name not in names)
        return {name: _without(value, names) for name, value in left}
    return [_without(item, names) for item in payload] if is_list(payload) else payload


def _was_chosen() -> bool:
    """Tell whether the resources of this load were named by whoever runs it."""
    source = dlt.current.source()
    return len(source.selected_resources) < len(source.resources)


def _tell_wait(details: RetryDetails) -> None:
    if details.wait_s >= _LONG_WAIT:
        logger.warning("%s waits %.0f s: %s", SOURCE, details.wait_s, details.error)


def _explained(name: str, error: RoostError) -> SourceError:
    """Return the error of Opsnest for one of the SDK."""
    if isinstance(error, RoostTransportError):
        advice = "Check `api_url`, the network and the proxy, and run it again."
        return UnreachableError(SOURCE, name, "GET", "/api", f"no answer: {error}", advice)
    if not isinstance(error, RoostApiError):
        advice = "Run it again; what was loaded before stays."
        return AnswerError(SOURCE, name, "GET", "/api", str(error), advice)
    kind, problem, advice = _kind_of(error)
    method, path = error.method or "GET", urlsplit(error.url or "").path or "/api"
    message = str(error.problem.get("detail") or error.problem.get("title") or "")
    return kind(SOURCE, name, method, path, problem, advice, error.status, message, error.code)


def _kind_of(error: RoostApiError) -> tuple[type[SourceError], str, str]:
    if isinstance(error, AuthenticationError):
        advice = f"Check `token` under [sources.{SOURCE}] in .dlt/secrets.toml."
        return AccessError, "the API key was refused", advice
    if isinstance(error, PermissionDeniedError):
        advice = f"Use a key that may ({_missing_scope(error)}), or leave the resource out."
        return AccessError, "the API key may not read this", advice
    if isinstance(error, NotFoundError):
        advice = "Check `site_ids`: Owlette does not tell a site that is not there from one that "
        return AccessError, "it is not there", f"{advice}the key may not enter."
    if isinstance(error, RateLimitedError):
        advice = "Run it again later, or with fewer sites."
        return RateLimitError, "the API went on refusing for the number of requests", advice
    if is_switched_off(error):
        advice = "Leave the site out (site_ids), or have its roosts switched on."
        return AccessError, "the site's roosts are switched off", advice
    problem, advice = "the API failed", "Run it again; what was loaded before stays."
    if error.status < 400:
        problem = "the answer is not Owlette's"
        advice = (
            "Something between here and Owlette may have answered instead: check `api_url` and "
        )
        advice += "the proxy, and run it again."
    return AnswerError, problem, advice


def _missing_scope(error: RoostApiError) -> str:
    required: object = error.problem.get("required")
    if isinstance(required, Mapping):
        needed: Mapping[str, object] = required  # pyright: ignore[reportUnknownVariableType]
        return f"{needed.get('permission')} on {needed.get('resource')}:{needed.get('id')}"
    return "its user's role is too low"


def without_signatures(row: Row) -> Row:
    """Return a row whose texts have lost keys, and the parts of URLs that are a permission."""
    return {name: _without_signature(value) for name, value in row.items()}


def _without_signature(value: Any) -> Any:
    if isinstance(value, dict):
        members: Row = value  # pyright: ignore[reportUnknownVariableType]
        return without_signatures(members)
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [_without_signature(item) for item in items]
    if not isinstance(value, str):
        return value
    if "://" in value:
        value = _URL.sub(lambda found: _unsigned(found[0]), value)
    return _SECRET.sub("[secret]", value) if "_" in value else value


def _unsigned(url: str) -> str:
    """Return a URL without user and password, and without a query that is a permission."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if names & _SIGNATURES:
        bare = bare._replace(query="")
    return url if bare == parts else urlunsplit(bare)
