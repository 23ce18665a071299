"""Which queries an assistant may run: what is tried against them, and what people ask."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packages.opsnest.tests.attack_queries import ANYWHERE, DUCKDB, HARMLESS, POSTGRES
from sqlglot import exp

from opsnest.json_values import is_list, is_object
from opsnest.mcp import vocabulary
from opsnest.mcp.queries import LONGEST, Dialect, QueryRefusedError, checked

#: Other tests run beside these.
calm = settings(deadline=None)

TABLES = ("events", "events__tags", "_dlt_loads", "Mixed")
both = pytest.mark.parametrize("dialect", ["duckdb", "postgres"])


def check(sql: str, dialect: Dialect = "duckdb", most: int = 10) -> str:
    return checked(sql, dialect, "data", TABLES, most)


@both
@pytest.mark.parametrize("sql", ANYWHERE, ids=lambda sql: sql[:60])
def test_an_attack_is_refused(sql: str, dialect: Dialect) -> None:
    with pytest.raises(QueryRefusedError):
        check(sql, dialect)


@pytest.mark.parametrize("sql", DUCKDB, ids=lambda sql: sql[:60])
def test_an_attack_on_duckdb_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefusedError):
        check(sql, "duckdb")


@pytest.mark.parametrize("sql", POSTGRES, ids=lambda sql: sql[:60])
def test_an_attack_on_postgres_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefusedError):
        check(sql, "postgres")


@both
@pytest.mark.parametrize("sql", HARMLESS, ids=lambda sql: sql[:60])
def test_what_people_ask_is_let_through(sql: str, dialect: Dialect) -> None:
    written = check(sql, dialect)

    assert "--" not in written.replace("'DELETE FROM events; --'", "")
    # what was let through is let through again, and as it is
    assert check(written, dialect) == written


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM events", "only one SELECT is allowed"),
        ("SELECT 1; SELECT 2", "this is 2 statements"),
        ("SELECT * FROM tokens", "the table 'tokens' is none of those"),
        ("SELECT getenv('HOME')", "the function 'getenv' is not allowed"),
        ("SELECT * FROM read_csv('x')", "the function"),
        ("SELECT to_char(at, 'YYYY') FROM events", "duckdb has no such thing"),
        ("SELECT FROM WHERE", "is not understood as duckdb SQL"),
        ("SELECT " + "(" * 900 + "1" + ")" * 900, "nested too deeply"),
        ("SELECT 1::xml", "only the usual types"),
        ("SELECT * FROM events FOR UPDATE", "LOCK is not allowed"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(sql: str, words: str) -> None:
    with pytest.raises(QueryRefusedError, match=words.replace("(", r"\(")) as refused:
        check(sql)

    message = str(refused.value)
    assert "\n  " in message
    assert "\x1b" not in message


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("SELECT 1", "SELECT 1 LIMIT 10"),
        ("SELECT 1 LIMIT 3", "SELECT 1 LIMIT 3"),
        ("SELECT 1 LIMIT 11", 'SELECT * FROM (SELECT 1 LIMIT 11) AS "limited" LIMIT 10'),
        ("SELECT 1 LIMIT 5 + 5", 'SELECT * FROM (SELECT 1 LIMIT 5 + 5) AS "limited" LIMIT 10'),
        ("SELECT 1 UNION SELECT 2", "SELECT 1 UNION SELECT 2 LIMIT 10"),
    ],
)
def test_no_more_rows_are_asked_for_than_may_be(sql: str, written: str) -> None:
    assert check(sql) == written


def test_a_percentage_is_no_number_of_rows() -> None:
    assert check("SELECT * FROM events LIMIT 5%").endswith("LIMIT 10")


@pytest.mark.parametrize(
    ("sql", "dialect", "table"),
    [
        ("SELECT * FROM EVENTS", "duckdb", '"data"."events"'),
        ('SELECT * FROM "EVENTS"', "duckdb", '"data"."events"'),
        ("SELECT * FROM mixed", "duckdb", '"data"."Mixed"'),
        ("SELECT * FROM EVENTS", "postgres", '"data"."events"'),
        ('SELECT * FROM "Mixed"', "postgres", '"data"."Mixed"'),
        ("SELECT * FROM DATA.events", "postgres", '"data"."events"'),
    ],
)
def test_tables_are_named_in_full_as_they_are_spelled(
    sql: str, dialect: Dialect, table: str
) -> None:
    assert f"FROM {table} AS" in check(sql, dialect)


@pytest.mark.parametrize("sql", ['SELECT * FROM "DATA"."events"', "SELECT * FROM Mixed"])
def test_postgres_folds_names_and_keeps_quoted_ones(sql: str) -> None:
    with pytest.raises(QueryRefusedError):
        check(sql, "postgres")


@both
def test_a_word_that_some_database_knows_is_the_name_of_a_column(dialect: Dialect) -> None:
    written = check("SELECT user, current_role, Id FROM events", dialect)

    assert written.startswith('SELECT "user", "current_role", ') or dialect == "duckdb"
    assert '"user"' in written
    assert ('"Id"' in written) == (dialect == "duckdb")


def test_a_query_may_be_as_long_as_promised() -> None:
    values = ", ".join(str(number) for number in range(3000))
    sql = f"SELECT id FROM events WHERE id IN ({values})"
    assert 10_000 < len(sql) < LONGEST
    check(sql)


def test_the_vocabulary_names_what_sqlglot_has() -> None:
    classes = {name for name in vars(exp) if isinstance(vars(exp)[name], type)}
    functions = {name for name in vocabulary.FUNCTIONS if name[0].isupper()}

    assert classes >= vocabulary.NODES
    assert functions <= classes
    assert vocabulary.TABLE_FUNCTIONS <= vocabulary.FUNCTIONS


@pytest.mark.parametrize(
    "name",
    ["ReadCSV", "ReadParquet", "Command", "Into", "Lock", "Placeholder", "Parameter", "ToFile"],
)
def test_the_vocabulary_has_nothing_that_reaches_out(name: str) -> None:
    assert name not in vocabulary.NODES | vocabulary.FUNCTIONS


# whatever is around it

BAD_TABLES = ("secret.tokens", "'/etc/passwd'", "read_text('x')", "pg_settings", "duckdb_secrets()")
BAD_VALUES = (
    "getenv('HOME')",
    "pg_read_file('x')",
    "(SELECT token FROM secret.tokens)",
    "version()",
)

value_around = st.sampled_from(
    [
        "({})",
        "lower({})",
        "coalesce(NULL, {})",
        "CASE WHEN true THEN {} END",
        "CAST({} AS TEXT)",
        "(SELECT {})",
        "/* ' */ {} /* \" */",
        "[{}]",
        "concat('--', {})",
        "max({}) OVER ()",
    ]
)
query_around = st.sampled_from(
    [
        "SELECT * FROM ({}) AS x",
        "WITH x AS ({}) SELECT * FROM x",
        "WITH events AS ({}) SELECT * FROM events",
        "SELECT 1 WHERE EXISTS ({})",
        "SELECT 1 UNION ALL {}",
        "SELECT * FROM events WHERE '1' IN ({})",
        "SELECT * FROM events e JOIN LATERAL ({}) x ON true",
        "SELECT 1 FROM events ORDER BY ({})",
    ]
)


def wrapped(core: str, around: list[str]) -> str:
    for each in around:
        core = each.replace("{}", core)
    return core


@calm
@given(st.sampled_from(BAD_TABLES), st.lists(query_around, max_size=5))
def test_a_table_is_found_however_deep(table: str, around: list[str]) -> None:
    with pytest.raises(QueryRefusedError):
        check(wrapped(f"SELECT * FROM {table}", around))


@calm
@given(
    st.sampled_from(BAD_VALUES),
    st.lists(value_around, max_size=4),
    st.lists(query_around, max_size=3),
)
def test_a_function_is_found_however_deep(
    value: str, values: list[str], queries: list[str]
) -> None:
    with pytest.raises(QueryRefusedError):
        check(wrapped(f"SELECT {wrapped(value, values)}", queries))


@calm
@given(
    st.sampled_from([sql for sql in HARMLESS[:13] if "--" not in sql]),
    st.lists(query_around, max_size=3),
)
def test_what_is_harmless_stays_so(sql: str, around: list[str]) -> None:
    check(wrapped(sql.rstrip(";"), around))


WORDS = """SELECT FROM WITH AS UNION events secret.tokens tokens data . , ( ) * ' " -- /* */ ; $$ E'
    x 1 '/etc/passwd' read_text getenv INTO INSERT VALUES LATERAL UNNEST : :: -> [ ] { } = AND \\ `
    # PIVOT DESCRIBE SHOW TABLES QUERY RECURSIVE LIMIT ORDER BY"""
tokens = st.sampled_from([*WORDS.split(), "\n"])


def seen_by_duckdb(sql: str) -> set[tuple[str, str]]:
    """Return the tables with a schema, and the functions for tables, that DuckDB reads."""
    row = duckdb.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert row
    tree = json.loads(row[0])
    assert tree["error"] is False, sql
    seen: set[tuple[str, str]] = set()
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if is_object(node):
            match node.get("type"):
                case "BASE_TABLE":
                    seen.add((node["schema_name"], node["table_name"]))
                case "TABLE_FUNCTION" | "SHOW_REF" as kind:
                    seen.add(("", kind))
                case _:
                    pass
            waiting.extend(node.values())
        elif is_list(node):
            waiting.extend(node)
    return seen


@calm
@given(st.lists(tokens, max_size=14).map(" ".join))
@example("WITH x AS ( SELECT 1 ) SELECT * FROM x")
@example("SELECT * FROM events AS tokens")
def test_any_words_are_refused_or_read_by_duckdb_as_they_were_understood(words: str) -> None:
    """Both parsers agree on the tables of all that is let through."""
    try:
        written = check(f"SELECT {words}")
    except QueryRefusedError:
        return
    try:
        seen = seen_by_duckdb(written)
    except (duckdb.Error, AssertionError):
        return  # DuckDB refuses it
    tables = {(schema, name) for schema, name in seen if schema}
    assert tables <= {("data", name) for name in TABLES}
    names = {name for schema, name in seen if not schema}
    ctes = {cte.alias for cte in sqlglot.parse_one(written, read="duckdb").find_all(exp.CTE)}
    assert names <= ctes | {"TABLE_FUNCTION"}


@calm
@given(st.text(max_size=200))
def test_no_text_is_more_than_refused(text: str) -> None:
    for dialect in ("duckdb", "postgres"):
        with contextlib.suppress(QueryRefusedError):
            check(text, dialect)
