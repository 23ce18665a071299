"""Run one query in a process of its own: little memory, little time, an empty environment.

It reads a request in JSON from its input and writes an answer in JSON: `columns`, `rows` and `cut`,
or `error` with `kind` and `text`. It imports little but the database's driver, to start soon.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from importlib import import_module
from typing import Any, cast

from opsnest.json_values import is_list, is_object

#: Rows that are fetched at once: each batch is looked at before the next.
_BATCH = 50

#: Tables and views that are not of the dataset, DuckDB's own among them.
_ELSEWHERE = """
SELECT table_name FROM duckdb_tables() WHERE schema_name <> ?
UNION SELECT view_name FROM duckdb_views() WHERE schema_name <> ?
"""


def main() -> None:
    """Answer the request on the standard input."""
    request = json.load(sys.stdin)
    _limit_memory(request["memory"])
    run = {"duckdb": duckdb_answer, "postgres": postgres_answer}[request["engine"]]
    try:
        answer = run(request)
    except MemoryError:
        answer = {"error": {"kind": "memory", "text": ""}}
    json.dump(answer, sys.stdout)


def _limit_memory(limit: int) -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows, where the database's own limit stands
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no file can grow
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def duckdb_answer(request: dict[str, Any]) -> dict[str, Any]:
    """Ask a DuckDB file, opened for reading, with all doors to other files shut."""
    import duckdb  # noqa: PLC0415

    try:
        connection = duckdb.connect(
            request["path"],
            read_only=True,
            config={
                "enable_external_access": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "python_enable_replacements": "false",
                "temp_directory": "",
                "memory_limit": f"{request['memory'] // 3 >> 20}MiB",
                "threads": "2",
            },
        )
    except duckdb.Error as fault:
        text = str(fault)
        locked = "set lock on file" in text or "used by another process" in text
        return _error("locked" if locked else "connection", text)
    with connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        try:
            return _locked_down(connection, request)
        except duckdb.InterruptException:
            return _error("time", "")
        except duckdb.OutOfMemoryException:
            return _error("memory", "")
        except duckdb.Error as fault:
            return _error("query", fault)


def _locked_down(connection: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run the query once DuckDB has read it by itself, and seen nothing in it that may not be."""
    text = request["sql"]
    statements = connection.extract_statements(text)
    if [str(each.type) for each in statements] != ["StatementType.SELECT"]:
        return _error("refused", "DuckDB reads it as something else than one SELECT")
    read = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
    dataset = request["dataset"]
    known = {(_lower(dataset), _lower(name)) for name in request["tables"]}
    others = connection.execute(_ELSEWHERE, [dataset, dataset]).fetchall()
    if stranger := _stranger(json.loads(read[0]), known, {_lower(name) for (name,) in others}):
        return _error("refused", f"DuckDB finds {stranger} in it")
    timer = threading.Timer(request["seconds"], connection.interrupt)
    timer.start()
    try:
        cursor = connection.execute(statements[0])
        names = [str(column[0]) for column in cursor.description or ()]
        rows, cut = _rows(cursor.fetchmany, request)
    finally:
        timer.cancel()
    return {"columns": names, "rows": rows, "cut": cut}


def _stranger(tree: Any, known: set[tuple[str, str]], elsewhere: set[str]) -> str:
    """Return what DuckDB itself sees in a query beside known tables, or nothing.

    Tables are named in full by now: a name without a schema must be that of a WITH, and of nothing
    that DuckDB would find where that WITH does not reach.
    """
    nodes = list(_nodes(tree))
    lent_names = {
        _lower(str(each["key"]))
        for node in nodes
        if isinstance(node.get("cte_map"), dict)
        for each in node["cte_map"].get("map", ())
    }
    if borrowed := sorted(lent_names & elsewhere):
        return f"a WITH with the name of the table {borrowed[0][:100]!r}"
    for node in nodes:
        match node.get("type"):
            case "BASE_TABLE":
                schema, name = _lower(str(node["schema_name"])), _lower(str(node["table_name"]))
                theirs = (schema, name) in known or (not schema and name in lent_names)
                if node["catalog_name"] or not theirs:
                    return f"the table {name[:100]!r}"
            case "TABLE_FUNCTION":
                name = str(node["function"]["function_name"]).lower()
                if name not in {"unnest", "range", "generate_series"}:
                    return f"the function {name[:100]!r}"
            case "SHOW_REF":
                return "a command"
            case _:
                pass
    return "" if nodes and not nodes[0].get("error", True) else "something that is no SELECT"


def _lower(name: str) -> str:
    """Return a name as DuckDB compares it: letters beyond ASCII stay as they are."""
    return "".join(each.lower() if each.isascii() else each for each in name)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in JSON, those above first."""
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if is_object(node):
            yield node
            waiting.extend(node.values())
        elif is_list(node):
            waiting.extend(node)


def postgres_answer(request: dict[str, Any]) -> dict[str, Any]:
    """Ask PostgreSQL, in a transaction that can only read and is soon over."""
    # psycopg2 is published without types
    psycopg2: Any = import_module("psycopg2")
    errors: Any = import_module("psycopg2.errors")
    sql: Any = import_module("psycopg2.sql")
    milliseconds = int(request["seconds"] * 1000)
    try:
        connection = psycopg2.connect(**request["connection"], connect_timeout=10)
    except psycopg2.Error as fault:
        return _error("connection", fault)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        with connection.cursor() as settings:
            settings.execute("SET TRANSACTION READ ONLY")
            settings.execute("SET LOCAL statement_timeout = %s", (milliseconds,))
            settings.execute("SET LOCAL lock_timeout = %s", (milliseconds,))
            settings.execute("SET LOCAL idle_in_transaction_session_timeout = %s", (milliseconds,))
            settings.execute("SET LOCAL TimeZone = 'UTC'")
            settings.execute(
                sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(request["dataset"]))
            )
        # a cursor can be declared for a query only, and it is sent row by row
        with connection.cursor(name="opsnest") as cursor:
            cursor.itersize = _BATCH
            cursor.execute(request["sql"])
            batch = cursor.fetchmany(_BATCH)
            names = [str(column[0]) for column in cursor.description or ()]
            waiting = [batch]
            rows, cut = _rows(
                lambda size: waiting.pop() if waiting else cursor.fetchmany(size), request
            )
    except (errors.QueryCanceled, errors.LockNotAvailable):
        return _error("time", "")
    except psycopg2.Error as fault:
        return _error("query", fault)
    finally:
        connection.close()
    return {"columns": names, "rows": rows, "cut": cut}


def _rows(
    fetch: Callable[[int], Sequence[Sequence[Any]]], request: dict[str, Any]
) -> tuple[list[list[Any]], str]:
    """Return rows up to the limits, and which limit cut them: `rows`, `bytes`, or none."""
    rows: list[list[Any]] = []
    left = int(request["bytes"])
    while batch := fetch(_BATCH):
        for row in batch:
            plain = [_plain(value, request["cell"]) for value in row]
            left -= len(json.dumps(plain).encode())
            if len(rows) == request["rows"]:
                return rows, "rows"
            if left < 0 and rows:
                return rows, "bytes"
            rows.append(plain)
    return rows, ""


def _plain(value: Any, longest: int) -> Any:
    """Return a value as JSON has it; bytes are not shown, as nothing could be found in them."""
    if is_object(value):
        # a map of DuckDB's may have names of any type
        return {str(name)[:longest]: _plain(member, longest) for name, member in value.items()}
    if is_list(value):
        return [_plain(item, longest) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _text(value)[:longest]


def _text(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(cast('bytes', value))} bytes]"
    return str(value)


def _error(kind: str, fault: object) -> dict[str, Any]:
    return {"error": {"kind": kind, "text": str(fault)[:2000]}}


if __name__ == "__main__":
    main()
