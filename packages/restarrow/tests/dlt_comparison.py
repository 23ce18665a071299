"""Load the same pages with dlt's own `rest_api` and with restarrow's, and compare all there is."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from unittest import mock

import dlt
import duckdb
from dlt.sources import rest_api as plain_rest_api
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import restarrow.dlt
from opssim.core.server import serve
from opssim.core.simulator import Simulator
from restarrow.dlt import ResourceReport
from restarrow.dlt import client as arrow_client

Row = Any
Pages = Sequence[Sequence[Row]]
#: Makes what is to be loaded; given the module that is imported in the one case or the other.
Make = Callable[[Any], Any]


class Lists(Simulator):
    """An API with lists of pages, which can be read in any of the ways of dlt's paginators.

    Attributes:
        pages: the pages of each list; a page may also be a whole answer.
        answer: makes an answer itself, or returns None to have it made of the pages.
        url: where it answers.
        asked: the requests so far.
    """

    name: ClassVar[str] = "lists"

    def __init__(self, pages: Mapping[str, Pages] | None = None) -> None:
        super().__init__()
        self.pages: dict[str, Pages] = dict(pages or {})
        self.answer: Callable[[Request], Response | None] = lambda _: None
        self.url = ""
        self.asked: list[tuple[str, str, dict[str, str], str]] = []

    def routes(self) -> list[Route]:
        return [Route("/{name:path}", self._list, methods=["GET", "POST"])]

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"url": url}

    def secrets(self) -> frozenset[str]:
        return frozenset()

    def insert(self, table: str, count: int = 1) -> None:
        raise NotImplementedError

    def touch(self, table: str, count: int = 1) -> None:
        raise NotImplementedError

    def paths(self) -> list[str]:
        """Return what was asked for so far, with its query, and forget it."""
        asked = [f"{path}?{query}" if query else path for path, query, _, _ in self.asked]
        self.asked.clear()
        return asked

    async def _list(self, request: Request) -> Response:
        body = (await request.body()).decode()
        path, query = request.url.path, request.url.query
        self.asked.append((path, query, dict(request.headers), body))
        made = self.answer(request)
        if made is not None:
            return made
        pages = self.pages.get(request.path_params["name"])
        if pages is None:
            return Response(status_code=404)
        return self._page(request, pages, path)

    def _page(self, request: Request, pages: Pages, path: str) -> Response:
        asked = request.query_params
        every = [row for page in pages for row in page]
        if "offset" in asked:
            start = int(asked["offset"])
            return answer({"data": every[start : start + int(asked["limit"])], "total": len(every)})
        number = int(asked.get("page", asked.get("cursor", "0")))
        rows = list(pages[number]) if number < len(pages) else []
        is_last = number + 1 >= len(pages)
        link = f"{self.url}{path}?page={number + 1}"
        return answer(
            {
                "data": rows,
                "next": None if is_last else link,
                "cursors": {"next": None if is_last else str(number + 1)},
                "total": len(pages),
                "has_more": not is_last,
            },
            headers={} if is_last else {"Link": f'<{link}>; rel="next"'},
        )


def answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a JSON answer; not of Starlette's kind, which refuses NaN."""
    return Response(json.dumps(content), status, headers, media_type="application/json")


@contextmanager
def lists(pages: Mapping[str, Pages] | None = None) -> Generator[Lists]:
    """Serve lists of pages until the block ends."""
    with serve(Lists(pages)) as running:
        running.simulator.url = running.url
        yield running.simulator


@dataclass(slots=True)
class Side:
    """One of the two that are compared: a pipeline and its DuckDB file.

    Another destination is compared by a kind of its own: it says where to load, and what is there.
    """

    folder: Path
    module: ModuleType
    failures: list[str] = field(default_factory=list[str])
    items: list[Any] = field(default_factory=list[Any])
    counts: list[dict[str, int]] = field(default_factory=list[dict[str, int]])

    @property
    def file(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def pipeline(self) -> dlt.Pipeline:
        made = dlt.pipeline(
            "compared",
            destination=dlt.destinations.duckdb(str(self.file)),
            dataset_name="data",
            pipelines_dir=str(self.folder / "pipelines"),
        )
        made.config.restore_from_destination = False  # a fifth of the time, for what is here anyway
        return made

    def read(self, tables: Mapping[str, Any]) -> Database | None:
        """Return what is in the database, if there is one."""
        return Database.read(self.file, tables) if self.file.exists() else None

    def load(self, data: Any, **options: Any) -> None:
        """Run the pipeline as a new process would, keeping how it fails if it does."""
        pipeline = self.pipeline()
        failed = False
        try:
            # while it is open here, dlt's many connections do not open and close the file itself
            with duckdb.connect(str(self.file)):
                pipeline.run(data, **options)
        except Exception as failure:  # noqa: BLE001 - any way to fail is to be the same
            causes = list(_causes(failure))
            self.failures.append(" < ".join(type(each).__name__ for each in causes))
            pipeline.abort_packages()
            failed = True
        if failed:
            _close_what_dlt_left_open()
            return
        trace = pipeline.last_trace
        if trace is not None and trace.last_normalize_info is not None:
            self.counts.append(dict(trace.last_normalize_info.row_counts))


def _close_what_dlt_left_open() -> None:
    """Collect the connections of refused answers, which dlt does not close, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        if not isinstance(failure, StopIteration):  # which is how dlt learns that a batch is over
            yield failure
        failure = failure.__cause__ or failure.__context__


@dataclass(slots=True)
class Comparison:
    """Two pipelines, which load the same by dlt's own means and by restarrow's.

    Attributes:
        reports: what restarrow reported of its last load.
        batch_rows: rows that restarrow hands on in one batch, at least; by default each page is
            a batch of its own, as there is more to go wrong with many batches.
        kind: what a side is, and with it the destination.
    """

    folder: Path
    batch_rows: int = 1
    kind: type[Side] = Side
    reports: Mapping[str, ResourceReport] = field(default_factory=dict[str, ResourceReport])
    dlt: Side = field(init=False)
    arrow: Side = field(init=False)

    def __post_init__(self) -> None:
        self.dlt = self.kind(self.folder / "dlt", plain_rest_api)
        self.arrow = self.kind(self.folder / "arrow", restarrow.dlt)
        for side in (self.dlt, self.arrow):
            side.folder.mkdir(parents=True)

    def load(self, make: Make, **options: Any) -> None:
        """Load once on both sides; `make` is given the module to take functions from."""
        for side in (self.dlt, self.arrow):
            with mock.patch.multiple(
                arrow_client, _BATCH_ROWS=self.batch_rows, _RAW_ROWS=self.batch_rows
            ):
                side.load(make(side.module), **options)
        self.reports = restarrow.dlt.report()

    def lanes(self, resource: str, table: str | None = None) -> set[str]:
        """Return which lanes the batches of a table took in the last load, without the reasons."""
        report = self.reports[resource]
        return {lane.partition(":")[0] for lane in report.lanes.get(table or resource, {})}

    def reasons(self, resource: str) -> set[str]:
        """Return why rows of a resource took dlt's own path in the last load."""
        lanes = self.reports[resource].lanes.values()
        return {
            lane.removeprefix("dlt: ")
            for each in lanes
            for lane in each
            if lane.startswith("dlt: ")
        }

    def check(self, *, failed: bool = False, refused: type[Exception] | None = None) -> None:
        """Fail unless both sides are the same in all that can be seen of them.

        Args:
            failed: whether dlt fails.
            refused: the error that says so before dlt itself would.
        """
        found: list[str] = []
        if refused is None:
            found = _different("failures", self.arrow.failures, self.dlt.failures)
        elif not any(refused.__name__ in each for each in self.arrow.failures):
            found.append(f"not refused, but {self.arrow.failures}")
        elif len(self.arrow.failures) != len(self.dlt.failures):
            found.append(f"failures: {self.arrow.failures} is not {self.dlt.failures}")
        if bool(self.dlt.failures) != failed:
            found.append(f"dlt's own failures: {self.dlt.failures}")
        found += self.differences()
        if found:
            raise AssertionError("\n".join(each[:2000] for each in found))

    def differences(self) -> list[str]:
        """Return what differs between the two sides, in words."""
        found: list[str] = []
        if self.arrow.counts != self.dlt.counts:
            found.append(f"row counts: {self.arrow.counts} is not {self.dlt.counts}")
        ours, theirs = self.arrow.pipeline(), self.dlt.pipeline()
        found += _different("state", _state(ours), _state(theirs))
        found += _different("schemas", sorted(ours.schemas), sorted(theirs.schemas))
        for name in sorted(set(ours.schemas) & set(theirs.schemas)):
            found += _schema_differences(ours.schemas[name], theirs.schemas[name])
        # which jobs of a load that fails were first is a matter of chance
        is_certain = not any("LoadClientJob" in each for each in self.dlt.failures)
        if is_certain:
            found += self._data_differences(theirs)
        return found

    def _data_differences(self, pipeline: Any) -> list[str]:
        tables = {
            name: table for each in pipeline.schemas.values() for name, table in each.tables.items()
        }
        ours, theirs = self.arrow.read(tables), self.dlt.read(tables)
        return _data_differences(ours, theirs) if ours and theirs else []

    def query(self, sql: str, *, of: Side | None = None) -> list[tuple[Any, ...]]:
        """Ask the database of one side, which is restarrow's by default."""
        with _connected((of or self.arrow).file) as connection:
            return connection.execute(sql).fetchall()


def _state(pipeline: dlt.Pipeline) -> object:
    state: Any = pipeline.state
    return json.loads(json.dumps(state.get("sources"), default=str, sort_keys=True))


def _different(what: str, ours: object, theirs: object) -> list[str]:
    return [] if ours == theirs else [f"{what}: {ours!r} is not {theirs!r}"]


def _schema_differences(ours: dlt.Schema, theirs: dlt.Schema) -> list[str]:
    found = _different("tables", sorted(ours.tables), sorted(theirs.tables))
    for name in sorted(set(ours.tables) & set(theirs.tables)):
        if not name.startswith("_dlt"):
            found += _table_differences(name, ours.tables[name], theirs.tables[name])
    return found


def _table_differences(name: str, ours: Any, theirs: Any) -> list[str]:
    found: list[str] = []
    for hint in sorted((set(ours) | set(theirs)) - {"columns"}):
        if hint == "variant_name" and theirs.get("parent"):
            continue  # dlt notes it at nested tables that it is told of
        found += _different(f"{name}'s {hint}", ours.get(hint), theirs.get(hint))
    # columns without a type have no place yet: they come last once they get one
    found += _different(f"columns of {name}", _complete(ours), _complete(theirs))
    found += _different(f"all columns of {name}", set(ours["columns"]), set(theirs["columns"]))
    for column in set(ours["columns"]) & set(theirs["columns"]):
        found += _different(
            f"{name}.{column}",
            {"nullable": True, **ours["columns"][column]},
            {"nullable": True, **theirs["columns"][column]},
        )
    return found


def _complete(table: Any) -> list[str]:
    return [name for name, column in table["columns"].items() if "data_type" in column]


def _data_differences(one: Database, two: Database) -> list[str]:
    found = [f"restarrow's {each}" for each in one.broken()]
    found += [f"dlt's {each}" for each in two.broken()]
    found += _different("ids that are there twice", one.repeated(), two.repeated())
    found += _different("tables there", sorted(one.columns), sorted(two.columns))
    for name in sorted(set(one.columns) & set(two.columns)):
        found += _different(f"{name} there", one.columns[name], two.columns[name])
        if one.columns[name] != two.columns[name] or name.startswith("_dlt"):
            continue
        got, wanted = one.content(name), two.content(name)
        if got != wanted:
            odd = [f"{a} is not {b}" for a, b in zip(got, wanted, strict=False) if a != b][:2]
            found.append(f"rows of {name}: {len(got)} and {len(wanted)}; {odd}")
    return found


@contextmanager
def _connected(file: Path) -> Generator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(str(file), read_only=True)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        with suppress(duckdb.CatalogException):  # no load came so far as to make it
            connection.execute("SET schema = 'data'")
        yield connection
    finally:
        connection.close()


@dataclass(slots=True)
class Database:
    """All that is in a DuckDB file.

    Attributes:
        columns: the names and types of the columns of each table.
        rows: the rows of each table.
        parents: the parent of each nested table.
        loads: the load ids, the earliest first.
    """

    columns: dict[str, list[tuple[str, str]]]
    rows: dict[str, list[dict[str, Any]]]
    parents: dict[str, str]
    loads: list[str]

    @classmethod
    def read(cls, file: Path, tables: Mapping[str, Any]) -> Database:
        with _connected(file) as connection:
            columns = {
                name: [
                    (each[0], each[1])
                    for each in connection.execute(f'DESCRIBE "{name}"').fetchall()
                ]
                for (name,) in connection.execute(
                    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'data'"
                ).fetchall()
            }
            rows = {
                name: [
                    dict(zip([column for column, _ in known], row, strict=True))
                    for row in connection.execute(f'SELECT * FROM "{name}"').fetchall()
                ]
                for name, known in columns.items()
            }
        loads = sorted(row["load_id"] for row in rows.get("_dlt_loads", []))
        parents = {name: table["parent"] for name, table in tables.items() if "parent" in table}
        return cls(columns, rows, parents, loads)

    def content(self, table: str) -> list[str]:
        """Return the rows of a table, sorted, with what does not depend on chance.

        A parent is given by its own content and by that of its parents.
        """
        return sorted(repr(self._content(table, row)) for row in self.rows[table])

    def _content(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        content = {name: value for name, value in row.items() if name not in _BY_CHANCE}
        for name in content.keys() & {"_dlt_valid_from", "_dlt_valid_to"}:
            content[name] = content[name] is None  # the times of loads, if they are not open
        if "_dlt_load_id" in row:
            content["_dlt_load_id"] = self._load_number(row["_dlt_load_id"])
        if "_dlt_parent_id" in row:
            content["_dlt_parent_id"] = [
                self._content(self.parents[table], parent)
                for parent in self._parents_of(table, row)
            ]
        return content

    def _load_number(self, load_id: str) -> int | str:
        return self.loads.index(load_id) if load_id in self.loads else "one that failed"

    def _parents_of(self, table: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        above = self.rows.get(self.parents.get(table, ""), [])
        return [parent for parent in above if parent["_dlt_id"] == row["_dlt_parent_id"]]

    def repeated(self) -> dict[str, int]:
        """Return how many rows of each table have an id that another one has as well."""
        ids = {
            name: [row["_dlt_id"] for row in rows if "_dlt_id" in row]
            for name, rows in self.rows.items()
        }
        return {name: len(each) - len(set(each)) for name, each in ids.items()}

    def broken(self) -> Iterator[str]:
        """Return the rows whose ids are not what dlt makes them."""
        for table, rows in self.rows.items():
            for row in rows:
                if table in self.parents and "_dlt_parent_id" in row:
                    yield from self._broken_child(table, row)

    def _broken_child(self, table: str, row: Mapping[str, Any]) -> Iterator[str]:
        wanted = child_id(row["_dlt_parent_id"], table, row["_dlt_list_idx"])
        if row["_dlt_id"] != wanted:
            yield f"{table} has a row with the id {row['_dlt_id']} instead of {wanted}"
        if len(self._parents_of(table, row)) > 1:
            yield f"{table} has a row with several parents"
        root: Mapping[str, Any] = row
        above = table
        while above in self.parents:
            parents = self._parents_of(above, root)
            if not parents:
                return  # an orphan, of which both sides have to have the same
            root, above = parents[0], self.parents[above]
        if row.get("_dlt_root_id") not in {None, root["_dlt_id"]}:
            yield f"{table} has a row with the wrong root"


#: Columns whose values are drawn, or derived from what is drawn.
_BY_CHANCE = frozenset({"_dlt_id", "_dlt_root_id", "_dlt_parent_id", "_dlt_load_id"})


def child_id(parent: str, table: str, position: int) -> str:
    """Return the id that dlt gives the item of a list."""
    digest = hashlib.shake_128(f"{parent}_{table}_{position}".encode()).digest(10)
    return base64.b64encode(digest).decode().rstrip("=")


def config(api: Lists, *resources: Any, **client: Any) -> dict[str, Any]:
    """Make a configuration whose lists are read by links, their rows under `data`."""
    return {
        "client": {
            "base_url": api.url,
            "paginator": {"type": "json_link", "next_url_path": "next"},
            **client,
        },
        "resource_defaults": {"endpoint": {"data_selector": "data"}},
        "resources": list(resources),
    }
