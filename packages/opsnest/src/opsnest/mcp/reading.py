"""Asking a pipeline's database: bounded in rows, bytes, time and memory; told where it was cut."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from opsnest.errors import ConfigurationError, DestinationError
from opsnest.json_values import is_list, is_object
from opsnest.mcp import worker
from opsnest.mcp.pipelines import LOADS, Record
from opsnest.mcp.queries import Dialect, QueryRefusedError, checked

__all__ = ["Answer", "Bounds", "Database", "hidden"]

#: The most characters of a text in an answer. The worker hands over more of it: a secret is found
#: by its shape, of which the end would be missing.
_CELL: Final = 4_000
_CELL_BEFORE_MASKING: Final = 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a query may take.

    Attributes:
        rows: the most rows of an answer.
        bytes: the most bytes of an answer.
        seconds: the most seconds that a query may run.
        memory: the most bytes of memory.
    """

    rows: int = 200
    bytes: int = 200_000
    seconds: float = 10.0
    memory: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave.

    Attributes:
        columns: the names of the columns.
        rows: the rows, as JSON has them, without secrets of known shapes.
        cut: what is missing, and how to see it; empty if nothing is.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    cut: str


class Database:
    """The database of a pipeline.

    Args:
        record: the pipeline.
        file: the DuckDB file, where the pipeline's script names it itself, which dlt does not
            record; None for where dlt would have it.
        bounds: how much a query may take.

    Raises:
        ConfigurationError: it is none that can be asked here, or its credentials are missing.
    """

    def __init__(
        self, record: Record, file: Path | None = None, bounds: Bounds | None = None
    ) -> None:
        self._record = record
        self._file = file
        self._bounds = bounds or Bounds()
        self._dialect: Dialect = _dialect(record)
        self._request = self._connection()

    def query(self, sql: str, rows: int | None = None) -> Answer:
        """Return the answer to one SELECT over the pipeline's tables.

        Args:
            sql: the query.
            rows: the most rows to return, no more than the bounds have.

        Raises:
            QueryRefusedError: it is not one SELECT, or has what may not be in it.
            DestinationError: the database could not be asked, or did not answer in time.
        """
        most = max(1, min(rows or self._bounds.rows, self._bounds.rows))
        tables = [*self._record.tables, LOADS]
        # one more, to know whether there are more
        written = checked(sql, self._dialect, self._request["dataset"], tables, most + 1)
        return self._run(written, tables, most)

    def own(self, written: Callable[[str], str], tables: Collection[str]) -> Answer:
        """Return the answer to a query of ours, which is written given the dataset, in quotes."""
        dataset = '"' + self._request["dataset"].replace('"', '""') + '"'
        return self._run(written(dataset), tables, 10_000)

    def _run(self, sql: str, tables: Collection[str], most: int) -> Answer:
        bounds = self._bounds
        answer = _work(
            {
                **self._request,
                "sql": sql,
                "tables": list(tables),
                "rows": most,
                "bytes": bounds.bytes,
                "cell": _CELL_BEFORE_MASKING,
                "seconds": bounds.seconds,
                "memory": bounds.memory,
            },
            bounds.seconds,
        )
        if "error" in answer:
            raise self._explained(answer["error"])
        columns = [str(hidden(name)) for name in answer["columns"]]
        rows = [_masked(columns, row) for row in answer["rows"]]
        shown = [[_shortened(value) for value in row] for row in rows]
        return Answer(columns, shown, self._cut(answer["cut"], shown, shortened=shown != rows))

    def _cut(self, limit: str, rows: Sequence[Sequence[Any]], *, shortened: bool) -> str:
        said = {
            "rows": f"There are more rows: these are the first {len(rows):,}. Aggregate, or use "
            "WHERE, or LIMIT with OFFSET.",
            "bytes": f"There is more: these {len(rows):,} rows fill an answer "
            f"({self._bounds.bytes:,} bytes). Name fewer columns, or aggregate.",
        }
        texts = [said[limit]] if limit else []
        if shortened:
            texts.append(f"Texts end after {_CELL:,} characters.")
        return " ".join(texts)

    def _connection(self) -> dict[str, Any]:
        """Return how to reach the database, resolved by dlt from the user's settings."""
        config = _configuration(self._record)
        schemas = self._record.schemas
        dataset = config.normalize_dataset_name(schemas[0]) if schemas else self._record.dataset
        if self._dialect == "duckdb":
            path = self._file or Path(str(config.credentials.database))
            if not path.is_file():
                message = (
                    f"the DuckDB file of {self._record.name} is not at {path}.\n"
                    "  Start `opsnest mcp` in the project's folder, or give --database where the "
                    "pipeline's script names the file itself."
                )
                raise DestinationError(message)
            return {"engine": "duckdb", "path": str(path.resolve()), "dataset": dataset}
        credentials = config.credentials
        known = {
            "host": credentials.host,
            "port": credentials.port,
            "user": credentials.username,
            "password": credentials.password,
            "dbname": credentials.database,
        }
        known = {name: value for name, value in known.items() if value}
        query: Mapping[str, Any] = credentials.query or {}
        modes = {name: str(query[name]) for name in ("sslmode", "sslrootcert") if name in query}
        return {"engine": "postgres", "connection": {**modes, **known}, "dataset": dataset}

    def _explained(self, error: Mapping[str, Any]) -> Exception:
        text = str(hidden(self._without_credentials(str(error["text"]).strip())))
        match error["kind"]:
            case "locked":
                message = (
                    "the DuckDB file is in use: a load is running, or another program has it open."
                    "\n  Ask again when the load has ended."
                )
                return DestinationError(message)
            case "time":
                message = (
                    f"the query took longer than {self._bounds.seconds:g} seconds and was stopped."
                    "\n  Narrow it with WHERE, or aggregate less at once."
                )
                return DestinationError(message)
            case "memory":
                message = (
                    "the query needs more memory than it may have, and was stopped.\n"
                    "  Name fewer columns, narrow it with WHERE, or aggregate less at once."
                )
                return DestinationError(message)
            case "refused":
                return QueryRefusedError(f"{text}.\n  Write the query plainer.")
            case "connection":
                first = text.partition("\n")[0]
                message = (
                    f"the database of {self._record.name} cannot be opened: {first}\n"
                    "  `opsnest load` uses the same settings; check that it works."
                )
                return DestinationError(message)
            case _:
                first = text.partition("\n\nLINE")[0]
                message = f"the database refused the query: {first}\n  `schema` has the columns."
                return DestinationError(message)

    def _without_credentials(self, text: str) -> str:
        password = str(self._request.get("connection", {}).get("password") or "")
        return text.replace(password, "[removed: password]") if password else text


def hidden(value: Any) -> Any:
    """Return decoded JSON without secrets of known shapes."""
    from opsnest.secret_scan import mask  # noqa: PLC0415 - slow to import

    return mask(value)


def _masked(columns: Sequence[str], row: Sequence[Any]) -> list[Any]:
    """Return the values of a row without secrets: the names of columns may tell them too."""
    found: list[Any] = []
    for name, value in zip(columns, row, strict=True):
        (masked,) = hidden({name: value}).values()
        found.append(masked)
    return found


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _CELL else value[:_CELL]
    if is_object(value):
        return {name: _shortened(member) for name, member in value.items()}
    if is_list(value):
        return [_shortened(item) for item in value]
    return value


def _dialect(record: Record) -> Dialect:
    dialects: tuple[Dialect, ...] = get_args(Dialect)
    for dialect in dialects:
        if record.destination == dialect:
            return dialect
    message = (
        f"the pipeline {record.name} loads into {record.destination or 'nothing yet'}: rows can be "
        "read from DuckDB and PostgreSQL only.\n"
        "  `tables` and `schema` work all the same."
    )
    raise ConfigurationError(message)


def _configuration(record: Record) -> Any:
    """Return the settings of a pipeline's destination, as dlt finds them.

    Raises:
        ConfigurationError: the credentials are missing or make no sense.
    """
    from dlt.common.configuration.container import Container  # noqa: PLC0415 - slow to import
    from dlt.common.configuration.exceptions import ConfigurationException  # noqa: PLC0415
    from dlt.common.configuration.specs import config_section_context  # noqa: PLC0415
    from dlt.common.destination import Destination  # noqa: PLC0415

    kind = str(record.state["destination_type"])
    name = record.state.get("destination_name")
    factory: Any = Destination.from_reference(kind, destination_name=name)
    initial: Any = factory.spec()
    initial._bind_dataset_name(dataset_name=record.dataset)
    local = record.state.get("_local", {})
    # where dlt puts files that are named without a folder: as it does for a pipeline
    for field, value in {
        "local_dir": local.get("initial_cwd"),
        "legacy_db_path": local.get("duckdb_database"),
        "pipeline_name": record.name,
        "pipeline_working_dir": str(record.folder),
    }.items():
        if value is not None and hasattr(initial, field):
            setattr(initial, field, value)
    context = config_section_context.ConfigSectionContext(pipeline_name=record.name)
    try:
        with Container().injectable_context(context):
            return factory.configuration(initial)
    except ConfigurationException as fault:
        from opsnest.explain import explain  # noqa: PLC0415

        explained = explain(fault)
        if explained is None:
            message = (
                f"the settings of the destination {record.destination} make no sense "
                f"({type(fault).__name__}).\n  `opsnest load` tells what is wrong."
            )
            raise ConfigurationError(message) from None
        raise explained from None


def _work(request: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
    """Hand a request to a process of its own; what it cannot end in time is ended."""
    # Python finds its packages by itself; on Windows it needs this to start
    environment = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - Python itself, with a file of ours
            [sys.executable, "-I", "-X", "utf8", "-m", worker.__name__],
            input=json.dumps(request),
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds + 10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": {"kind": "time", "text": ""}}
    try:
        answer: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:  # it was ended for its memory, before it could say so
        return {"error": {"kind": "memory", "text": ""}}
    return answer
