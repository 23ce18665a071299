"""Keys that make odd names: tables and columns are dlt's, and nothing in them is ever executed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, Pages, config
from packages.restarrow.tests.dlt_rows import load_all

SQL = '"; DROP TABLE x; --'
#: Keys and texts of those who would like them to be executed.
HOSTILE = (
    SQL,
    "'); DROP TABLE x; --",
    "x; DROP TABLE x",
    'a" INTEGER); DROP TABLE x; --',
    "a/**/b",
    "${jndi:ldap://x}",
    "{}",
    "%s",
    "%(id)s",
    "?",
    "$1",
    "\\",
    "../../../x",
    "a\nb\tc",
    "a\x00b",
    "select",
    "x" * 80,
    "ключ",
    "\u202eevil",
    "e\u0301",
    "é",
    "\U0001f4a9",
    "ﬁ",
    "İ",
    "0",
    "1e5",
    "-",
    "a__b",
    "__a",
    "a__",
    "_",
    "value",
    "list",
    "_dlt",
    "dlt_id",
)
#: Keys that become one name, in one row and in several.
MEETING = ("Foo Bar", "foo_bar", "fooBar", "FOO_BAR", "foo-bar", "Foo  Bar", " foo bar ")
EMPTY = ("", " ", "\t")
RESERVED = ("_dlt_id", "_dlt_load_id", "_dlt_parent_id", "_dlt_list_idx", "_dlt_root_id", "_DLT_ID")


def named(keys: tuple[str, ...]) -> dict[str, Pages]:
    """Make lists of rows with these keys: of columns, of columns within, and of tables."""
    # in texts, dlt's own INSERTs lose null characters, and Parquet does not
    texts = [key.replace("\x00", "") for key in keys]
    return {
        "columns": [[dict.fromkeys(keys, SQL)], [dict.fromkeys(keys, "'); DROP TABLE x; --")]],
        "one_by_one": [
            [{"id": text, key: number}]
            for number, (text, key) in enumerate(zip(texts, keys, strict=True))
        ],
        "within": [[{"a": dict.fromkeys(keys, 1), "b": {key: {key: True} for key in keys}}]],
        "nested": [[{key: [{key: [number]}] for number, key in enumerate(keys)}]],
    }


def check_x(compared: Comparison) -> None:
    """Fail unless the table that all would like to drop is there, as it was."""
    for side in (compared.arrow, compared.dlt):
        assert compared.query("SELECT id FROM x", of=side) == [(1,)]


def test_hostile_names(compared: Comparison, api: Lists) -> None:
    long: Pages = [[{"x" * 300: 1, "a": {"y" * 300: {"z" * 300: 1}}}]]
    load_all(compared, api, {"x": [[{"id": 1}]], "long": long, **named(HOSTILE)}, {})
    load_all(compared, api, named(HOSTILE[::-1]), {})
    compared.check()
    check_x(compared)


@pytest.mark.parametrize("keys", [MEETING, EMPTY, RESERVED], ids=["meeting", "empty", "reserved"])
def test_names_that_meet_others(compared: Comparison, api: Lists, keys: tuple[str, ...]) -> None:
    for name, pages in named(keys).items():
        load_all(compared, api, {name: pages}, {})
    compared.check(failed=bool(compared.dlt.failures))


def test_hostile_names_of_resources(compared: Comparison, api: Lists) -> None:
    names = (SQL, "Foo Bar", "ключ y", "x; DROP TABLE x", "a" * 100, "value", "_dlt_x", "%s")
    api.pages = {"x": [[{"id": 1}]], "things": [[{"id": 1, "items": [{SQL: SQL}]}]]}

    def make(rest: Any) -> Any:
        resources: list[Mapping[str, Any]] = [{"name": "x", "endpoint": "x"}]
        resources += [{"name": name, "endpoint": "things"} for name in names]
        return rest.rest_api_source(config(api, *resources))

    compared.load(make)
    compared.check()
    check_x(compared)
