"""Other rows that `include` adds to an answer: those that rows refer to, and their children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opssim.core.store import JsonObject, Row, Table, encode
from opssim.rootly.facts import OWNERS, TABLES, children_of
from opssim.rootly.lists import Listing

#: Children of which a row has one, or none.
_SINGLE = frozenset({"incident_post_mortem"})


def fill(
    asked: str, listing: Listing, rows: Sequence[Row], tables: Mapping[str, Table]
) -> tuple[list[bytes], list[bytes]]:
    """Return the rows of an answer, and those that are included in it, each once.

    Rows name their children in their relationships only where these are included.

    Args:
        asked: the value of `include`; what the list does not know is ignored.
        listing: the list.
        rows: the rows of the answer.
        tables: where included rows are.
    """
    names = asked.split(",") if asked else []
    found = _referred([name for name in names if name in listing.includes], listing, rows, tables)
    known = children_of(listing.name)
    children = {
        name: _children(known[name], [row.key for row in rows], tables)
        for name in names
        if name in known and name in TABLES[listing.name].includes
    }
    for name, families in children.items():
        for family in families.values():
            found.update({(known[name], child.key): child.body for child in family})
    if not children:
        return [row.body for row in rows], list(found.values())
    return [_linked(row, children) for row in rows], list(found.values())


def _referred(
    names: Sequence[str], listing: Listing, rows: Sequence[Row], tables: Mapping[str, Table]
) -> dict[tuple[str, str], bytes]:
    """Return the rows that the ids in rows name."""
    found: dict[tuple[str, str], bytes] = {}
    for include in [listing.includes[name] for name in names]:
        table = tables[include.table]
        for key in {str(key): None for row in rows for key in include.read(row.data())}:
            row = table.get(key)
            if row is not None:
                found[include.table, key] = row.body
    return found


def _children(
    table: str, parents: Sequence[str], tables: Mapping[str, Table]
) -> dict[str, list[Row]]:
    """Return the rows that belong to each of some parents."""
    parameter = OWNERS[table].parameter
    families: dict[str, list[Row]] = {parent: [] for parent in parents}
    for row in tables[table]:
        parent = row.fields[parameter]
        if parent in families:
            families[parent].append(row)
    return families


def _linked(row: Row, children: Mapping[str, Mapping[str, Sequence[Row]]]) -> bytes:
    """Return a row that names its children in its relationships."""
    data = row.data()
    relationships: JsonObject = data.setdefault("relationships", {})
    for name, families in children.items():
        links = [{"id": child.key, "type": child.data()["type"]} for child in families[row.key]]
        single = links[0] if links else None
        relationships[name] = {"data": single if name in _SINGLE else links}
    return encode(data)
