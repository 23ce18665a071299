"""What the Arrow lanes can do exactly as dlt does it; anything else takes dlt's own path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dlt.common.normalizers.naming import snake_case

from restarrow.dlt.destinations import why_no_way

if TYPE_CHECKING:
    from dlt.common.schema import Schema
    from dlt.extract import DltResource, DltSource

__all__ = ["normaliser_config", "why_not"]

_DETECTIONS = ["iso_timestamp"]
_KNOWN_SETTINGS = frozenset({"root_key_propagation", "propagation", "max_nesting"})
#: Hints of columns that narrow a type: values would have to be fitted to them.
_FINER = frozenset({"precision", "scale", "timezone"})
#: Merge strategies that need a hash of the raw row, or of its key, in `_dlt_id`.
_HASHED = frozenset({"scd2", "upsert", "insert-only", "cdc"})


def why_not(resource: DltResource, source: DltSource) -> str | None:
    """Return why the rows of a resource must take dlt's own path, or None if they need not.

    Called while a pipeline extracts: what decides is known only then.
    """
    return (
        why_no_way(_hints_of(resource).get("file_format"))
        or _because_of_schema(source.schema)
        or _because_of_hints(resource, source.schema)
        or _because_of_others(resource, source)
    )


def normaliser_config(schema: Schema) -> dict[str, Any]:
    """Return the settings of a schema's normaliser, which dlt has no public way to read."""
    inside: Any = schema
    normalisers: dict[str, dict[str, Any]] = inside._normalizers_config
    config: dict[str, Any] | None = (normalisers.get("json") or {}).get("config")
    return config or {}


def _because_of_schema(schema: Schema) -> str | None:
    inside: Any = schema
    settings: Any = schema.settings
    unknown = normaliser_config(schema).keys() - _KNOWN_SETTINGS
    detections = list(settings.get("detections") or _DETECTIONS)
    break_paths: object = inside._normalizers_config.get("use_break_path_on_normalize")
    reasons = {
        "a naming convention of its own": type(schema.naming) is not snake_case.NamingConvention,
        "names that are not taken as paths": break_paths is False,
        "preferred types": bool(settings.get("preferred_types")),
        "type detections of its own": detections != _DETECTIONS,
        "a schema contract": bool(settings.get("schema_contract")),
        "a setting of the normaliser": bool(unknown),
        "columns that are passed on to nested tables": _passes_on(schema),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _passes_on(schema: Schema) -> bool:
    """Tell whether nested rows get values of their roots, other than the root's id."""
    propagation: dict[str, Any] = normaliser_config(schema).get("propagation") or {}
    tables: dict[str, Any] = propagation.get("tables") or {}
    passed = [propagation.get("root"), *tables.values()]
    return any(each and each != {"_dlt_id": "_dlt_root_id"} for each in passed)


def _because_of_hints(resource: DltResource, schema: Schema) -> str | None:
    hints = _hints_of(resource)
    reasons = {
        "a validator": bool(hints.get("validator")),
        "dynamic hints": resource.has_dynamic_table_name or resource.has_other_dynamic_hints,
        "nested hints": bool(hints.get("nested_hints")),
        "a schema contract": bool(hints.get("schema_contract")),
        "a table format": bool(hints.get("table_format")),
        "a parent table": bool(hints.get("parent_table_name")),
        "a merge strategy with hashed ids": _strategy(hints) in _HASHED,
        "hints for columns of dlt's own": _hints_own_columns(hints),
    }
    if found := next((reason for reason, holds in reasons.items() if holds), None):
        return found
    computed: Any = resource.compute_table_schema()
    for name, column in computed["columns"].items():
        if finer := _FINER & column.keys():
            return f"the hint {min(finer)} of the column {name}"
    table: Any = schema.tables.get(schema.naming.normalize_tables_path(str(resource.table_name)))
    return _because_of_table(table) if table is not None else None


def _hints_of(resource: DltResource) -> Any:
    inside: Any = resource
    return inside._hints or {}


def _because_of_table(table: Any) -> str | None:
    """Refuse what earlier loads have left in the schema: hints of a table stay there."""
    if table.get("schema_contract") or table.get("filters"):
        return "a contract or filter of the table"
    if table.get("x-merge-strategy") in _HASHED:
        return "a merge strategy with hashed ids"
    if any(column.get("x-row-version") for column in table["columns"].values()):
        return "row ids that are versions"
    return None


def _hints_own_columns(hints: Any) -> bool:
    """Tell whether a user has hints for ids; those of `bridge` say that they are row keys."""
    columns = hints.get("columns")
    if not isinstance(columns, dict):
        return False
    known: dict[str, Any] = columns  # pyright: ignore[reportUnknownVariableType]
    own = {name: column for name, column in known.items() if name.startswith("_dlt_")}
    return any(column.get("nullable") is not False for column in own.values())


def _because_of_others(resource: DltResource, source: DltSource) -> str | None:
    """Refuse tables that others load into: what theirs do to the schema is known too late."""
    naming = source.schema.naming
    own = naming.normalize_tables_path(str(resource.table_name))
    for name, other in source.resources.selected.items():
        if name == resource.name or callable(other.table_name):
            continue
        theirs = naming.normalize_tables_path(str(other.table_name))
        if f"{theirs}__".startswith(f"{own}__") or f"{own}__".startswith(f"{theirs}__"):
            return f"the table {theirs} of {name}, which may be one of this resource's as well"
    for name, table in source.schema.tables.items():
        is_below = name.startswith(f"{own}__")
        if (is_below and not table.get("parent")) or (name == own and table.get("parent")):
            return f"the table {name}, whose name is that of a nested table"
    return None


def _strategy(hints: Any) -> str | None:
    disposition: Any = hints.get("write_disposition")
    if isinstance(disposition, dict):
        strategy: object = cast(dict[str, object], disposition).get("strategy")
        return str(strategy) if strategy else None
    return None
