"""The lists of a platform as Dagster's assets: their keys, what is known of them, what is checked.

They are made from the catalogue, not from a source: so a code location loads without secrets, and
one that is missing fails the run that needs it, with a message that says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, cast

import dagster as dg
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from opsnest.catalogue import CATALOGUES, Catalogue, Entry, how
from opsnest.dagster.loads import Loaded
from opsnest.loading import PLATFORMS
from opsnest.reconcile import Difference, is_counted

__all__ = [
    "BY_MONTH",
    "ROWS_MATCH",
    "OpsnestTranslator",
    "checks_of",
    "group_of",
    "key_of",
    "results",
    "spec_of",
]

#: What comes between dataset and list in the key of an asset that is loaded by months.
BY_MONTH: Final = "by_month"
#: The check that compares a table with the number of rows that the API has.
ROWS_MATCH: Final = "as_many_rows_as_the_api"

#: Where the platforms describe their APIs.
_DOCUMENTED: Final[Mapping[str, str]] = {
    "roost": "https://dlthub.com/workspace/source/roost",
    "rootly": "https://docs.rootly.com",
    "cloud-bot": "https://docs.automationanywhere.com",
    "owlette": "https://owlette.app/docs/api",
}


def key_of(platform: str, resource: str, *, by_month: bool = False) -> dg.AssetKey:
    """Return the key of a list: its dataset and its table."""
    _, _, dataset = PLATFORMS[platform]
    return dg.AssetKey([dataset, *([BY_MONTH] if by_month else ()), resource])


def group_of(platform: str, *, by_month: bool = False) -> str:
    """Return the group of a platform's assets, which is the name of their job, too."""
    return platform.replace("-", "_") + (f"_{BY_MONTH}" if by_month else "")


def spec_of(
    platform: str,
    entry: Entry,
    *,
    kind: str,
    fresh: timedelta | None = None,
    by_month: bool = False,
) -> dg.AssetSpec:
    """Return what Dagster is told of a list before it is loaded.

    Args:
        platform: whose list it is.
        entry: the list.
        kind: the name of the destination.
        fresh: how old it may become; None if that is not watched.
        by_month: whether it is loaded by months.
    """
    catalogue = CATALOGUES[platform]
    _, _, dataset = PLATFORMS[platform]
    read = "reads what was made in a month" if by_month else how(entry)
    return dg.AssetSpec(
        key_of(platform, entry.name, by_month=by_month),
        group_name=group_of(platform, by_month=by_month),
        description=_sentences(f"{catalogue.title}: {entry.name}. It {read}.", entry.note),
        kinds={"dlt", kind},
        metadata={
            "dagster/table_name": f"{dataset}.{entry.name}",
            "source": catalogue.source,
            "how it is read": read,
            "documentation": dg.MetadataValue.url(_DOCUMENTED[platform]),
        },
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=fresh) if fresh else None,
    )


def _sentences(*texts: str) -> str:
    return " ".join(text for text in texts if text)


def checks_of(platform: str, entries: Iterable[Entry]) -> list[dg.AssetCheckSpec]:
    """Return the checks of lists of which the API has a true number of rows."""
    return [
        dg.AssetCheckSpec(
            ROWS_MATCH,
            asset=key_of(platform, entry.name),
            description="The table has as many rows, without those that are marked as deleted, as "
            "the API says that there are.",
        )
        for entry in entries
        if is_counted(entry)
    ]


def results(
    context: dg.AssetExecutionContext, platform: str, loaded: Loaded, *, by_month: bool = False
) -> Iterator[dg.MaterializeResult[Any]]:
    """Yield what came of a run, for each of the lists that it has loaded."""
    differences = {each.resource: each for each in loaded.outcome.differences}
    checked = {each.asset_key for each in context.selected_asset_check_keys}
    for entry in CATALOGUES[platform].entries:
        key = key_of(platform, entry.name, by_month=by_month)
        if key not in context.selected_asset_keys:
            continue
        compared = entry.name in loaded.outcome.compared
        check = _compared(key, differences.get(entry.name), compared=compared)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata=_told(entry.name, loaded),
            check_results=[check] if key in checked else [],
        )


def _compared(key: dg.AssetKey, found: Difference | None, *, compared: bool) -> dg.AssetCheckResult:
    """Return the result of comparing a table with the API's number of rows."""
    if found:
        said = f"{found}; to read the list whole has not helped."
    else:
        said = "As many rows as the API has." if compared else "Not compared: it was not read."
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=ROWS_MATCH,
        passed=found is None,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows in the table": found.rows, "rows at the API": found.total} if found else {},
        description=said,
    )


def _told(name: str, loaded: Loaded) -> dict[str, Any]:
    """Return what is known of a list after it was loaded."""
    told: dict[str, Any] = {"rows loaded": loaded.rows.get(name, 0)}
    if name in loaded.outcome.deleted:
        told["rows marked as deleted"] = loaded.outcome.deleted[name]
    if loaded.outcome.info is not None:
        told["load ids"] = ", ".join(loaded.outcome.info.loads_ids)
    if loaded.schema is not None:
        # not `normalize_table_identifier`, which takes a__b for a table a_b
        table = loaded.schema.naming.normalize_tables_path(name)
        if table in loaded.schema.tables:
            told["dagster/column_schema"] = dg.TableSchema(
                columns=[
                    dg.TableColumn(
                        column,
                        str(hints.get("data_type", "")),
                        constraints=dg.TableColumnConstraints(
                            nullable=bool(hints.get("nullable", True)),
                            unique=bool(hints.get("unique", False)),
                        ),
                    )
                    for column, hints in loaded.schema.get_table_columns(table).items()
                ]
            )
    return told


class OpsnestTranslator(DagsterDltTranslator):
    """Gives assets that you make with dagster-dlt's `dlt_assets` the keys that they have here."""

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Return what Dagster is told of a resource."""
        found = _of_source(data.resource.source_name)
        spec = super().get_asset_spec(data)
        if found is None or data.resource.name not in found.by_name:
            return spec
        found_place = cast(Any, data).destination
        place = str(found_place.destination_name) if found_place else "dlt"
        ours = spec_of(found.platform, found.by_name[data.resource.name], kind=place)
        return ours.merge_attributes(metadata=spec.metadata)


def _of_source(name: str) -> Catalogue | None:
    return next((each for each in CATALOGUES.values() if each.source == name), None)
