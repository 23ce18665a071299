"""Which queries are let through: one SELECT over the tables of one dataset, and nothing else.

What runs is not the text that was sent, but what was understood of it, written anew: comments and
ways of quoting that another parser may read otherwise are gone, and each table is named in full.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from typing import Final, Literal, NoReturn

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from opsnest.errors import OpsnestError
from opsnest.mcp.vocabulary import FUNCTIONS, NODES, TABLE_FUNCTIONS

__all__ = ["LONGEST", "Dialect", "QueryRefusedError", "checked"]

#: The databases that can be asked, as sqlglot calls them.
Dialect = Literal["duckdb", "postgres"]

#: The most characters of a query, and of nested parts in it: parsers recurse.
LONGEST: Final = 20_000
_DEEPEST: Final = 200

#: Types whose values say what else is in the database.
_TYPES_REFUSED: Final = frozenset(
    {exp.DType.USERDEFINED, exp.DType.NAME, exp.DType.UNKNOWN, exp.DType.XML}
)

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

#: Statements first in line for a clear answer; all others are refused as well.
_STATEMENT: Final = (
    "only one SELECT is allowed: nothing can be written, set, attached or loaded here.\n"
    "  Ask with SELECT ... FROM one of the tables of the pipeline; `tables` lists them."
)
_TOO_DEEP: Final = "the query is nested too deeply.\n  Make it simpler."


class QueryRefusedError(OpsnestError):
    """A query is not one that an assistant may run."""


def checked(sql: str, dialect: Dialect, dataset: str, tables: Collection[str], most: int) -> str:
    """Return a query as it may be run: parsed, found harmless, and written anew.

    Args:
        sql: what was asked.
        dialect: the database's SQL.
        dataset: the schema that the tables are in, as it is spelled there.
        tables: the tables that may be read, as they are spelled there.
        most: how many rows may be asked for; a limit above is lowered, one that is missing is set.

    Raises:
        QueryRefusedError: it is not exactly one SELECT, or has something that is not known to be
            harmless.
    """
    if len(sql) > LONGEST or "\0" in sql:
        _refuse(f"the query has more than {LONGEST:,} characters, or one that is no text.")
    statement = _Check(dialect, dataset, tables).statement(_parsed(sql, dialect))
    limited = _limited(statement, most)
    try:
        written = limited.sql(dialect=dialect, comments=False, unsupported_level=ErrorLevel.RAISE)
    except RecursionError:
        _refuse(_TOO_DEEP)
    except SqlglotError as fault:
        _refuse(f"{dialect} has no such thing: {_first(fault)}\n  Write it otherwise.")
    # what was written must say the same when it is read again
    _Check(dialect, dataset, tables).statement(_parsed(written, dialect))
    return written


def _refuse(message: str) -> NoReturn:
    raise QueryRefusedError(message)


def _first(fault: Exception) -> str:
    # sqlglot underlines on a terminal what it means
    return re.sub(r"\x1b\[\d*m", "", str(fault)).partition("\n")[0][:300]


def _lower(name: str) -> str:
    """Return a name as databases compare it: `str.lower` would make a k of the Kelvin sign too."""
    return name.translate(_LOWER)


def _parsed(sql: str, dialect: Dialect) -> exp.Query:
    try:
        statements = [each for each in sqlglot.parse(sql, read=dialect) if each is not None]
    except RecursionError:
        _refuse(_TOO_DEEP)
    except SqlglotError as fault:
        _refuse(f"the query is not understood as {dialect} SQL: {_first(fault)}\n  Mend it.")
    except Exception:  # noqa: BLE001 - sqlglot stumbles over some texts that are no SQL
        _refuse(f"the query is not understood as {dialect} SQL.\n  Mend it.")
    # a comment behind the semicolon is a statement of its own for sqlglot
    statements = [each for each in statements if not isinstance(each, exp.Semicolon)]
    if len(statements) != 1:
        _refuse(f"this is {len(statements)} statements; {_STATEMENT}")
    statement = statements[0]
    if not isinstance(statement, exp.Select | exp.SetOperation):
        _refuse(_STATEMENT)
    return statement


def _limited(statement: exp.Query, most: int) -> exp.Query:
    """Return a query that gives no more than so many rows."""
    if statement.args.get("limit") is None:
        return statement.limit(most, copy=False)
    limit = statement.args["limit"]
    # a percentage, and FETCH FIRST, are others
    if isinstance(limit, exp.Limit) and not limit.args.get("limit_options"):
        number = limit.expression
        if isinstance(number, exp.Literal) and number.is_int and int(number.this) <= most:
            return statement
    return (
        exp.select("*")
        .from_(statement.subquery(exp.to_identifier("limited", quoted=True)))
        .limit(most)
    )


class _Check:
    """The check of one statement; it names the tables in full on the way."""

    def __init__(self, dialect: Dialect, dataset: str, tables: Collection[str]) -> None:
        self._folds = dialect == "postgres"
        self._dataset = dataset
        self._tables = frozenset(tables)
        self._spelled = {_lower(name): name for name in tables}

    def statement(self, statement: exp.Query) -> exp.Query:
        """Return the statement, if all of it is harmless."""
        try:
            nodes = list(statement.walk())
            deepest = max(node.depth for node in nodes)
        except RecursionError:
            deepest = _DEEPEST + 1
            nodes = []
        if deepest > _DEEPEST:
            _refuse(_TOO_DEEP)
        for node in nodes:
            self._node(node)
        return statement

    def _node(self, node: exp.Expr) -> None:
        match node:
            case exp.Table():
                self._table(node)
            case exp.Identifier():
                # `user` is a column, and not who asks
                node.set("this", self._shown(node))
                node.set("quoted", True)  # noqa: FBT003 - a member of the node
            case exp.Column():
                # the table goes by its alias from here on
                if self._same(node.args.get("db"), self._dataset) and not node.catalog:
                    node.set("db", None)
            case exp.Func():
                self._function(node)
            case exp.Dot(expression=exp.Func()):
                # of another schema, or applied to what stands before the dot
                self._refuse_function(node.sql()[:60])
            case exp.DataType():
                if node.this in _TYPES_REFUSED or not isinstance(node.this, exp.DType):
                    _refuse(
                        "only the usual types are allowed in a cast.\n"
                        "  Use text, numbers, times or JSON."
                    )
            case _:
                if type(node).__name__ not in NODES:
                    _refuse(f"{type(node).__name__.upper()} is not allowed; {_STATEMENT}")

    def _function(self, function: exp.Func) -> None:
        named = isinstance(function, exp.Anonymous)
        name = function.name.lower() if named else type(function).__name__
        if name not in FUNCTIONS or (named and not isinstance(function.this, str)):
            self._refuse_function(function.name if named else function.sql_name().lower())

    def _refuse_function(self, name: str) -> NoReturn:
        _refuse(
            f"the function {name!r} is not allowed: only those that compute from the values of "
            "rows are.\n  Leave it out, or compute it from the answer."
        )

    def _table(self, table: exp.Table) -> None:
        if isinstance(table.this, exp.Func):
            if type(table.this).__name__ not in TABLE_FUNCTIONS:
                self._refuse_function(table.this.name or table.this.sql_name().lower())
            if table.args.get("db") or table.args.get("catalog"):
                self._refuse_function(table.sql()[:60])
            return
        if not isinstance(table.this, exp.Identifier):
            self._refuse_table(table.sql()[:60])
        if table.args.get("catalog") is not None:
            self._refuse_table(f"{table.catalog}.{table.db}.{table.name}")
        schema: exp.Expr | None = table.args.get("db")
        if schema is None and self._is_cte(table):
            return
        if schema is not None and not self._same(schema, self._dataset):
            self._refuse_table(f"{table.db}.{table.name}")
        name = self._known(table.this)
        if name is None:
            self._refuse_table(table.name)
        if not table.alias:
            # columns may be named by the table as it was written
            alias = exp.to_identifier(self._shown(table.this), quoted=True)
            table.set("alias", exp.TableAlias(this=alias))
        table.set("this", exp.to_identifier(name, quoted=True))
        table.set("db", exp.to_identifier(self._dataset, quoted=True))

    def _refuse_table(self, name: str) -> NoReturn:
        _refuse(
            f"the table {name[:100]!r} is none of those that may be read here.\n"
            "  `tables` lists them; they are all in one dataset, and files are none."
        )

    def _known(self, identifier: exp.Identifier) -> str | None:
        """Return a table of the dataset as it is spelled there."""
        if self._folds:
            name = self._kept(identifier)
            return name if name in self._tables else None
        if identifier.name in self._tables:
            return identifier.name
        return self._spelled.get(_lower(identifier.name))

    def _same(self, identifier: exp.Expr | None, name: str) -> bool:
        """Tell whether an identifier means a name, which is as the database keeps it."""
        if not isinstance(identifier, exp.Identifier):
            return False
        return self._kept(identifier) == (name if self._folds else _lower(name))

    def _shown(self, identifier: exp.Identifier) -> str:
        """Return a name that means the same in quotes."""
        return self._kept(identifier) if self._folds else identifier.name

    def _kept(self, identifier: exp.Identifier) -> str:
        if self._folds and identifier.quoted:
            return identifier.name
        return _lower(identifier.name)

    def _is_cte(self, table: exp.Table) -> bool:
        """Tell whether a name is that of a query in a WITH that it can see.

        A query sees those before it in the same WITH, itself if the WITH is recursive, and all of
        those around. One that only some parser would see is not believed: it counts as a table.
        """
        below: exp.Expr = table
        node = table.parent
        while node is not None:
            with_ = node.args.get("with_")
            if isinstance(with_, exp.With) and below is not with_ and self._in(table, with_):
                return True
            if isinstance(node, exp.With) and isinstance(below, exp.CTE):
                before = node.expressions.index(below) + int(bool(node.args.get("recursive")))
                if self._in(table, node, before):
                    return True
            below, node = node, node.parent
        return False

    def _in(self, table: exp.Table, with_: exp.With, most: int | None = None) -> bool:
        names = [each.args["alias"].this for each in with_.expressions[:most]]
        return any(self._same(table.this, self._kept(name)) for name in names)
