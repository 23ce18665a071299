"""dlt's REST client with the engine behind it: pages at once, rows as bytes, where that is exact.

dlt's REST source makes a client for each resource and reads pages from it. This one looks at what
it was given. If all of it is dlt's own, the engine reads the pages; otherwise dlt's client does,
and the report says why.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import dlt
from dlt.common.runtime import signals
from dlt.extract.incremental import IncrementalResourceWrapper
from dlt.extract.items_transform import FilterItem, LimitItem, MapItem, ValidateItem, YieldMapItem
from dlt.sources.helpers.rest_client.client import PageData, RESTClient
from requests import Response

from restarrow.ahead import ahead
from restarrow.dlt.answers import decode_once, read_whole
from restarrow.dlt.bridge import ArrowTail, tail_of
from restarrow.dlt.failures import as_requests_error
from restarrow.dlt.lane import decoded
from restarrow.dlt.limits import max_body
from restarrow.dlt.report import note_drift, note_reading
from restarrow.dlt.translate import Api, ForeignError, path_of, plan_of, read_api
from restarrow.errors import ConfigurationError, FetchError, ForeignOriginError, Where
from restarrow.http import Client, Governor
from restarrow.http.auth import Auth
from restarrow.http.urls import is_absolute, origin_of, shown
from restarrow.memory import allocate_within_reach, collect_rarely, collect_young, give_back
from restarrow.paging import DecodedPage, DriftAudit, DriftPolicy, Plan, WindowPolicy, read_pages
from restarrow.rows import BATCH_BYTES, RowReader, batches
from restarrow.types import Request

__all__ = ["Connections", "FastClient", "sharing"]

#: Rows in a batch of decoded rows: below some thousands, what each table costs outweighs the rest.
_BATCH_ROWS = 5000
#: Rows in a batch of rows that were left as bytes, which are bounded by bytes as well.
_RAW_ROWS = 20_000
#: Batches between two looks for garbage, of which these rows make none.
_COLLECTED = 20
#: Bytes of pages that wait for their turn.
_WINDOW = WindowPolicy(initial=8, max_bytes=12 * 1024 * 1024)
#: What a list may be asked with; anything else is for requests.
_OPTIONS = frozenset(
    {"path", "method", "params", "json", "data", "headers", "hooks", "paginator", "data_selector"}
)
_DATA = (Mapping, list, bytes, str, type(None))
#: Steps of a pipe that see the rows of a page, and nothing else of it.
_SEE_ROWS = (FilterItem, MapItem, ValidateItem, YieldMapItem)


class Connections:
    """The connections of one configuration: resources that ask the same API share one client.

    Args:
        allowed_origins: origins that may have credentials, beside those of the configuration.
    """

    def __init__(self, allowed_origins: Iterable[str] = ()) -> None:
        self.origins = frozenset(str(origin_of(each)) for each in allowed_origins)
        self._lock = threading.Lock()
        self._known: dict[Api, tuple[Auth | None, Governor]] = {}
        self._open: dict[Api, tuple[Client, int]] = {}

    def __deepcopy__(self, memo: object) -> Connections:
        return self

    @contextmanager
    def lease(self, api: Api) -> Generator[Client]:
        """Lend the client of an API; it is closed when the last one who has it is done."""
        with self._lock:
            if api not in self._known:
                self._known[api] = api.credentials(), Governor(max_wait=api.retry.max_wait)
            client, users = self._open.get(api) or (api.client(*self._known[api]), 0)
            self._open[api] = client, users + 1
        try:
            yield client
        finally:
            with self._lock:
                client, users = self._open[api]
                self._open[api] = client, users - 1
                if users == 1:
                    del self._open[api]
                    client.close()

    def is_shared(self, api: Api) -> bool:
        """Tell whether several have the client of an API now."""
        with self._lock:
            return api in self._open and self._open[api][1] > 1


class FastClient(RESTClient):
    """dlt's client, whose pages come by way of the engine where that is the same.

    Attributes:
        connections: the connections that it shares with other clients of its configuration.
    """

    connections = Connections()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_own_session = kwargs.get("session") is not None
        self._allowed = set(self.connections.origins)
        if is_absolute(self.base_url or ""):
            self._allowed.add(str(origin_of(self.base_url)))

    def paginate(self, *args: Any, **asked: Any) -> Iterator[Any]:
        """Yield the pages of a list as dlt's client does.

        Several pages come as one where nobody counts them, and whole tables where the rows are
        wanted as such.
        """
        pipe = _running_pipe()
        tail = None if pipe is None or args else tail_of(pipe)
        if pipe is None or tail is None:
            yield from super().paginate(*args, **asked)
            return
        bare = tail.lane is not None and _are_bare(pipe, tail)
        reading: _Reading | None = None
        try:
            reading = self._reading(asked, _because_of_steps(pipe, tail))
        except ForeignError as foreign:
            note_reading(pipe.name, f"dlt's client: {foreign.reason}")
        if reading is None:
            pages = super().paginate(**asked)
            yield from _in_turn(tail, _joined(pages) if _may_join(pipe) else pages)
            return
        note_reading(pipe.name, "at once")
        reading.audit.policy = DriftPolicy(reread=tail.merges)
        reading.audit.report = partial(note_drift, pipe.name)
        made = reading.tables(tail) if bare else reading.rows()
        failure: Exception | None = None
        is_empty = True
        try:
            for each in _in_turn(tail, made):
                is_empty = False
                yield each
                del each
        except FetchError as error:
            failure = as_requests_error(error)
        if failure is not None:
            raise failure  # out here, so that it has no other behind it: its message tells all
        if is_empty:
            yield []  # dlt makes a table of a list without rows

    def _reading(self, asked: Mapping[str, Any], reasons: Mapping[str, bool]) -> _Reading:
        """Return how the engine reads a list.

        Raises:
            ForeignError: if it had better not.
        """
        params, json, data = asked.get("params"), asked.get("json"), asked.get("data")
        reasons = {
            "a session of its own": self._has_own_session,
            "response actions": bool(asked.get("hooks")),
            "options of requests": bool(asked.keys() - _OPTIONS),
            "parameters that are no names with values": not isinstance(params or {}, Mapping),
            "both json and data": bool(json) and bool(data),
            "data that is no form and no text": not isinstance(data, _DATA),
            **reasons,
        }
        for reason, holds in reasons.items():
            if holds:
                raise ForeignError(reason)
        path: str = asked.get("path") or ""
        request = Request(asked.get("method") or "GET", path, params or {}, json, data)
        try:
            api = read_api(self, path, asked.get("headers"), self.connections.origins)
            base_url = "" if is_absolute(path) else api.base_url
            paginator = asked.get("paginator") or self.paginator
            plan, looked_at = plan_of(paginator, request, base_url)
        except ConfigurationError as error:
            raise ForeignError(str(error)) from error
        selector = asked.get("data_selector")
        reader = RowReader(path_of(selector) if selector else None, looked_at)
        return _Reading(self.connections, api, plan, reader)

    def _send_request(self, *args: Any, **kwargs: Any) -> Response:
        request: Any = args[0] if args else kwargs["request"]
        self._refuse_other_origins(request)
        hooks: list[Any] = request.hooks.get("response") or []
        if hooks and _bound not in hooks:  # before any of them looks at the body
            hooks.insert(0, _bound)
        response = super()._send_request(*args, **{**kwargs, "stream": True})
        decode_once(_bound(response))
        return response

    def _refuse_other_origins(self, request: Any) -> None:
        """Refuse to take credentials where an answer says, if that is not the API's own origin."""
        origin = str(origin_of(request.url))
        if origin not in self._allowed:
            where = Where(str(request.method).upper(), urlsplit(shown(request.url)).path or "/")
            what = (
                f"the next page is at another host ({origin}), which was not asked, because "
                "credentials must not go there; if it is right, give it as one of allowed_origins"
            )
            raise ForeignOriginError(what, where)


def sharing(allowed_origins: Iterable[str]) -> type[FastClient]:
    """Return a kind of client all of which share their connections."""

    class Sharing(FastClient):
        connections = Connections(allowed_origins)

    return Sharing


class _Reading:
    """One list, read by the engine.

    Attributes:
        audit: watches for a list that moves while it is read.
    """

    def __init__(self, connections: Connections, api: Api, plan: Plan, reader: RowReader) -> None:
        self._connections = connections
        self._api = api
        self._plan = plan
        self._reader = reader
        self.audit = DriftAudit()

    def tables(self, tail: ArrowTail) -> Iterator[Any]:
        """Yield the list as tables.

        One thread reads, another makes tables, while dlt stores those that are made.
        """
        lane = tail.lane
        assert lane is not None  # noqa: S101 - for the type checkers
        allocate_within_reach()
        with self._connections.lease(self._api) as client:
            pages = self._pages(client)
            joined = batches(pages, most_bytes=BATCH_BYTES, most_rows=_RAW_ROWS)
            read = ahead(joined, depth=1, abort=lambda: self._abort(client))
            made = ahead(
                lane.convert_all(read),
                depth=1,
                glance=signals.raise_if_signalled,
                abort=lambda: self._abort(client),
            )
            with closing(made):
                yield from made

    def rows(self) -> Iterator[list[Any]]:
        """Yield the list as decoded rows."""
        with self._connections.lease(self._api) as client:
            self._reader.decode_rows()
            read = ahead(
                batches(self._pages(client), most_rows=_BATCH_ROWS),
                depth=1,
                glance=signals.raise_if_signalled,
                abort=lambda: self._abort(client),
            )
            with closing(read):
                for rows in read:
                    yield decoded(rows)

    def _pages(self, client: Client) -> Iterator[DecodedPage]:
        return read_pages(
            client.fetch,
            self._plan,
            decode=self._reader.decode,
            select=self._reader.select,
            policy=_WINDOW,
            throttled=lambda: client.counts.limited,
            abort=lambda: self._abort(client),
            audit=self.audit,
        )

    def _abort(self, client: Client) -> None:
        if not self._connections.is_shared(self._api):
            client.close()


def _bound(response: Response, *_: Any, **__: Any) -> Response:
    """Read a body within bounds: requests would make of it whatever it becomes."""
    read_whole(response, max_body())
    return response


def _running_pipe() -> Any:
    """Return the pipe that is run now, by a pipeline or not; None without one."""
    try:
        return dlt.current.pipe()
    except Exception:  # noqa: BLE001 - dlt has no way to ask: the client is used on its own
        return None


def _because_of_steps(pipe: Any, tail: ArrowTail) -> dict[str, bool]:
    """Return what may be in a pipe that sees more of a page than its rows, or stops the pages."""
    steps = [step for step in pipe._steps[1:] if step is not tail]
    return {
        "a limit": any(isinstance(step, LimitItem) for step in steps),
        "an incremental that ends the pages": any(map(_stops_early, steps)),
        "resources that are fed by it": tail.has_forks,
        "a step of its own": not all(
            isinstance(step, (*_SEE_ROWS, LimitItem, IncrementalResourceWrapper)) for step in steps
        ),
    }


def _are_bare(pipe: Any, tail: ArrowTail) -> bool:
    """Tell whether no step needs to see rows."""
    return not any(
        step is not tail and not (isinstance(step, IncrementalResourceWrapper) and _is_idle(step))
        for step in pipe._steps[1:]
    )


def _is_idle(step: IncrementalResourceWrapper) -> bool:
    incremental: object = step.incremental
    return incremental is None


def _may_join(pipe: Any) -> bool:
    """Tell whether it is all the same to the pipe how many pages come at once."""
    steps: list[Any] = pipe._steps
    return not any(isinstance(step, LimitItem) or _stops_early(step) for step in steps)


def _stops_early(step: Any) -> bool:
    """Tell whether an incremental ends the pages at the first row out of its range."""
    if not isinstance(step, IncrementalResourceWrapper):
        return False
    incremental: Any = step.incremental
    return bool(incremental and incremental.row_order)


def _in_turn(tail: ArrowTail, items: Iterator[Any]) -> Iterator[Any]:
    """Yield an item when dlt has taken the tables of the one before; until then, nothing."""
    with collect_rarely():
        for number, item in enumerate(items, start=1):
            yield item
            while tail.is_sending:
                yield None
            if number % _COLLECTED == 0:
                collect_young()
            del item
    collect_young()
    give_back()  # the database needs it next


def _joined(pages: Iterator[PageData[Any]]) -> Iterator[PageData[Any]]:
    batch: PageData[Any] | None = None
    for page in pages:
        if batch is None:
            batch = page
        else:
            batch.extend(page)
        if len(batch) >= _BATCH_ROWS:
            yield batch
            batch = None
    if batch is not None:
        yield batch
