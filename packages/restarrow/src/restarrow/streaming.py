"""Lists as Arrow tables, for who has Polars, DuckDB or pyarrow, and no dlt."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from typing import Any

from restarrow.ahead import ahead
from restarrow.config import Listing, read_auth, read_listings
from restarrow.errors import ConfigurationError
from restarrow.http import Client
from restarrow.normalise import Normaliser, Options
from restarrow.normalise.arrow import Table, reordered, stacked_all
from restarrow.paging import WindowPolicy, read_pages
from restarrow.rows import RowReader, batches

__all__ = ["read", "stream"]


def stream(
    config: Mapping[str, Any],
    *,
    allowed_origins: Iterable[str] = (),
    window: WindowPolicy | None = None,
) -> Generator[tuple[str, Table], None, None]:
    """Read lists, and yield their rows as Arrow tables while they are read.

    Args:
        config: what to read, as `restarrow.config` describes it.
        allowed_origins: other hosts that are the same API, and may have its credentials.
        window: how far to read ahead.

    Yields:
        the name of a table, and some of its rows as a `pyarrow.Table`: parents before their nested
        tables. Later tables of a name may have more columns than earlier ones, never other types.
        Names, types and values are those of dlt, `_dlt_id` and `_dlt_parent_id` included.

    Raises:
        ConfigurationError: the configuration makes no sense; nothing was asked.
        FetchError: a page could not be had; those before it have been yielded.
        PagingError: a list does not come to an end.
        UnsupportedError: rows that only dlt can store, such as integers of more than 64 bits.

    Example:
        for name, table in restarrow.stream(config):
            frame = polars.from_arrow(table)
    """
    for part, normaliser in _parts(config, allowed_origins, window):
        yield from ((name, part[name]) for name in part if normaliser.columns[name])


def read(
    config: Mapping[str, Any],
    *,
    allowed_origins: Iterable[str] = (),
    window: WindowPolicy | None = None,
) -> dict[str, Table]:
    """Read lists whole, and return their Arrow tables by name.

    A list without rows has no table, as nothing is known of its columns. For what it takes and
    raises, see `stream`.
    """
    parts: dict[str, list[Table]] = {}
    orders: dict[str, list[str]] = {}
    for part, normaliser in _parts(config, allowed_origins, window):
        for name, table in part.items():
            parts.setdefault(name, []).append(table)
        orders |= {name: list(columns) for name, columns in normaliser.columns.items()}
    return {name: reordered(stacked_all(tables), orders[name]) for name, tables in parts.items()}


def _parts(
    config: Mapping[str, Any], allowed_origins: Iterable[str], window: WindowPolicy | None
) -> Generator[tuple[Mapping[str, Table], Normaliser], None, None]:
    listings = read_listings(config)
    client: Mapping[str, Any] = config["client"]
    load_id = str(time.time())
    tables: dict[str, str] = {}
    normalisers: list[Normaliser] = []
    for each in listings:
        options = Options(load_id=load_id, max_nesting=each.max_nesting)
        normalisers.append(Normaliser(each.name, options=options))
        table = normalisers[-1].table
        if other := tables.get(table):
            msg = f"the resources {other!r} and {each.name!r} would make one table, {table}"
            raise ConfigurationError(msg)
        tables[table] = each.name
    with Client(
        client["base_url"],
        headers=client.get("headers"),
        auth=read_auth(client.get("auth")),
        allowed_origins=allowed_origins,
    ) as asking:
        for each, normaliser in zip(listings, normalisers, strict=True):
            with closing(_batches(asking, each, window)) as found:
                for rows in found:
                    for some in normaliser.pieces(rows):
                        yield normaliser.normalise(some).tables, normaliser


def _batches(
    client: Client, listing: Listing, window: WindowPolicy | None
) -> Generator[Any, None, None]:
    reader = RowReader(listing.selector, listing.looked_at)
    pages = read_pages(
        client.fetch,
        listing.plan,
        decode=reader.decode,
        select=reader.select,
        policy=window or WindowPolicy(),
        throttled=lambda: client.counts.limited,
        abort=client.close,
    )
    return ahead(batches(pages), depth=1, abort=client.close)
