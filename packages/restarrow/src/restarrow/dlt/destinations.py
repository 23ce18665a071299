"""What Arrow tables become on their way into each destination, and what must not go that way.

dlt writes Arrow as Parquet or CSV, and rows of its own path as whatever the destination likes best.
The tables are the same where both hold a value alike; where they do not, rows are left to dlt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import dlt
from dlt.common.configuration.container import Container
from dlt.common.data_writers import resolve_best_writer_spec
from dlt.common.destination import DestinationCapabilitiesContext

from restarrow.normalise import Column
from restarrow.normalise.arrow import pa, pc

if TYPE_CHECKING:
    from dlt.common.destination import Destination
    from dlt.common.schema.typing import TTableSchema

__all__ = ["Way", "postgres", "way_of", "why_no_way"]


@dataclass(frozen=True, slots=True)
class Way:
    """How Arrow tables get into a destination.

    Attributes:
        by_choice: whether dlt makes other files of its own rows, unless the resource says so.
        json: how JSON has to be written; None if it would not be JSON at the destination.
        null_characters: whether texts keep their null characters, or lose them as on dlt's path.
        empty_texts: whether empty texts stay what they are, instead of becoming NULL.
        signed_zero: whether -0.0 keeps its sign, or loses it as on dlt's path.
    """

    by_choice: bool = False
    json: Literal["text", "jsonb"] | None = "text"
    null_characters: bool = True
    empty_texts: bool = True
    signed_zero: bool = True

    def why_not(self, name: str, table: Any, columns: Mapping[str, Column]) -> str | None:
        """Return why a table must be left to dlt, or None if its values arrive as they are."""
        if self.json is None and any(column.data_type == "json" for column in columns.values()):
            return f"JSON in {name}, which the destination would take for a text"
        texts = [column for column in table.columns if pa.types.is_string(column.type)]
        if not self.null_characters and any(_has_null_character(text) for text in texts):
            return f"a null character in a text of {name}"
        if not self.empty_texts and any(_has_empty(text) for text in texts):
            return f"an empty text in {name}, which dlt's CSV files make NULL"
        return None

    def written(self, table: Any, columns: Mapping[str, Column]) -> Any:
        """Return a table as the destination wants it."""
        for number, field in enumerate(table.schema):
            known = columns.get(field.name)
            if self.json == "jsonb" and known is not None and known.data_type == "json":
                text = pc.binary_join_element_wise(_JSONB, table.column(number), "")
                table = table.set_column(number, field, text)
            if not self.signed_zero and pa.types.is_float64(field.type):
                table = table.set_column(number, field, pc.add(table.column(number), 0.0))
        return table


#: The version of jsonb's binary form, in front of each value.
_JSONB: Final = "\x01"
#: Destinations, and what dlt makes of Arrow tables for them, where the tables in the destination
#: were compared with those of dlt's own path, cell by cell.
_WAYS: Final[Mapping[tuple[str, str], Way]] = {
    ("dlt.destinations.duckdb", "parquet"): Way(),
    # dlt's INSERTs drop null characters; COPY refuses them, as PostgreSQL has no room for them
    ("dlt.destinations.postgres", "csv"): Way(
        null_characters=False, empty_texts=False, signed_zero=False
    ),
    ("dlt.destinations.postgres", "parquet"): Way(
        json="jsonb", null_characters=False, signed_zero=False
    ),
    ("dlt.destinations.filesystem", "parquet"): Way(by_choice=True),
}
#: Why others are not among them, where it is known.
_WHY_NOT: Final[Mapping[str, str]] = {
    "dlt.destinations.redshift": "Redshift takes Arrow tables row by row, more slowly than dlt's "
    "own rows",
}


def postgres(credentials: Any = None, **options: Any) -> Destination[Any, Any]:
    """Return dlt's PostgreSQL destination, which takes Arrow tables by a binary COPY.

    It needs `adbc-driver-postgresql`. By itself dlt prefers CSV files, in which an empty text is no
    other than NULL: rows with one take dlt's own path then.

    Args:
        credentials: as dlt's destination takes them.
        options: what else dlt's destination takes.
    """
    said: dict[str, Any] = {"supported_loader_file_formats": _BINARY_FIRST, **options}
    return dlt.destinations.postgres(credentials, **said)


_BINARY_FIRST: Final = ["insert_values", "parquet", "csv", "model"]


def why_no_way(file_format: object) -> str | None:
    """Return why the destination of the running pipeline gets no Arrow tables, or None.

    Args:
        file_format: the files that the resource asks for, if it does.
    """
    pipeline: Any = dlt.current.pipeline()
    if pipeline.destination is None:
        return "the pipeline has no destination"
    kind, found = str(pipeline.destination.destination_type), _format_of_arrow()
    way = _WAYS.get((kind, found))
    if way is None:
        return _WHY_NOT.get(kind) or f"not compared with dlt's own tables for {kind}, as {found}"
    reasons = {
        "a staging destination": pipeline.staging is not None,
        f"its files are not {found}, unless file_format of the resource says so": (
            way.by_choice and file_format != found
        ),
        # dlt makes other columns for JSON then
        "a file format": file_format not in {None, found} or (way.json == "jsonb" and file_format),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def way_of() -> Way:
    """Return how Arrow tables get into the destination of the running pipeline.

    Raises:
        KeyError: there is no such way; `why_no_way` says why.
    """
    pipeline: Any = dlt.current.pipeline()
    return _WAYS[str(pipeline.destination.destination_type), _format_of_arrow()]


def _format_of_arrow() -> str:
    """Return the files that dlt would make of Arrow tables, as its normalise step decides it."""
    capabilities = Container()[DestinationCapabilitiesContext]
    preferred = capabilities.preferred_loader_file_format
    supported = capabilities.supported_loader_file_formats or []
    selector: Any = capabilities.loader_file_format_selector
    if selector is not None:
        preferred, supported = selector(
            preferred, supported, table_schema=cast("TTableSchema", {"name": "any"})
        )
    return str(resolve_best_writer_spec("arrow", supported, preferred).file_format)


def _has_null_character(column: Any) -> bool:
    return bool(pc.any(pc.match_substring(column, "\x00")).as_py())


def _has_empty(column: Any) -> bool:
    return bool(pc.any(pc.equal(pc.binary_length(column), 0)).as_py())
