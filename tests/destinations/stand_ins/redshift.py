"""Redshift on PostgreSQL, which it came from.

Not shown by this: Redshift's own COPY, what SUPER does, the limits of its types, its keys that are
not enforced, and how it folds names.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Final

import dlt
from tests.destinations.stand_ins.statements import Statements

__all__ = ["redshift"]

psycopg2: Any = import_module("psycopg2")
extensions: Any = import_module("psycopg2.extensions")

#: What PostgreSQL lacks of what dlt uses there.
_SETUP: Final = """
CREATE SCHEMA IF NOT EXISTS redshift;
DO $$ BEGIN
  CREATE DOMAIN public.super AS jsonb;
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE OR REPLACE FUNCTION public.json_parse(text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE AS 'SELECT $1::jsonb';
CREATE OR REPLACE FUNCTION public.from_hex(text) RETURNS bytea
  LANGUAGE sql IMMUTABLE AS 'SELECT decode($1, ''hex'')';
CREATE OR REPLACE VIEW public.svv_redshift_schemas AS
  SELECT schema_name FROM information_schema.schemata;
"""


def redshift(postgres: str, statements: Statements, monkeypatch: Any) -> Any:
    """Return dlt's Redshift destination, which loads into this PostgreSQL."""
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(_SETUP)
    connect = psycopg2.connect

    base: Any = extensions.cursor

    class Cursor(base):  # type: ignore[misc]
        def execute(self, query: Any, args: Any = None) -> Any:
            text = query if isinstance(query, str) else self._text(query)
            statements.note(text)
            return base.execute(self, _for_postgres(text), args)

        def _text(self, query: Any) -> str:
            return query.decode() if isinstance(query, bytes) else str(query.as_string(self))

    def connected(*args: Any, **kwargs: Any) -> Any:
        return connect(*args, cursor_factory=Cursor, **kwargs)

    monkeypatch.setattr(psycopg2, "connect", connected)
    # backslashes escape in Redshift's texts
    return dlt.destinations.redshift(f"{postgres}?options=-cstandard_conforming_strings%3Doff")


def _for_postgres(query: str) -> str:
    query = re.sub(r"varchar\(max\)", "varchar", query, flags=re.IGNORECASE)
    return re.sub(r"\bvarbinary\b", "bytea", query, flags=re.IGNORECASE)
