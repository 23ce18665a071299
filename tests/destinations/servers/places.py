"""The destinations that the story is told to, each with what it loads into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dlt
import pytest
from tests.destinations.stand_ins.azure import azure
from tests.destinations.stand_ins.databricks import VERBS, databricks
from tests.destinations.stand_ins.google import bigquery, gcs
from tests.destinations.stand_ins.redshift import redshift
from tests.destinations.stand_ins.snowflake import snowflake

import restarrow.dlt

__all__ = ["PLACES", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A destination, with how the tests load into it.

    Attributes:
        name: the name, with the way by which rows get there.
        destination: makes the destination out of the fixtures of the test.
        hints: what resources have to say for it.
        merges: whether rows can be merged there.
        dialect: that in which dlt's statements are parsed, as they are before they are rewritten.
        verbs: what its statements begin with that sqlglot does not parse.
        epoch_for_null: whether a time that is NULL is read as 1970, as fakesnow sends it.
    """

    name: str
    destination: Callable[[pytest.FixtureRequest], Any]
    hints: Mapping[str, Any] = field(default_factory=dict[str, Any])
    merges: bool = True
    dialect: str = ""
    verbs: tuple[str, ...] = ()
    epoch_for_null: bool = False

    @property
    def flat(self) -> bool:
        """Tell whether lists of merged rows have to be texts: tables of files leave items over."""
        return "table_format" in self.hints

    @property
    def forms(self) -> dict[str, bool]:
        """Return how rows are made, for this place and for the one that it is compared with."""
        return {"flat": self.flat, "steady": self.hints.get("table_format") == "iceberg"}

    @property
    def dataset(self) -> str:
        """Return a name that no other place has."""
        return f"story_{self.name.replace('-', '_')}"


def _local(request: pytest.FixtureRequest) -> Any:
    request.getfixturevalue("extensions")
    folder = request.getfixturevalue("tmp_path")
    return dlt.destinations.filesystem((folder / "bucket").as_uri())


def _s3(request: pytest.FixtureRequest) -> Any:
    endpoint = request.getfixturevalue("moto")
    name = request.getfixturevalue("place").name
    credentials = {
        "aws_access_key_id": "key",
        "aws_secret_access_key": "secret",
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "s3_url_style": "path",
    }
    return dlt.destinations.filesystem(
        f"s3://bucket/{name}", credentials=credentials, kwargs={"use_ssl": False}
    )


def _redshift(request: pytest.FixtureRequest) -> Any:
    return redshift(
        request.getfixturevalue("postgres"),
        request.getfixturevalue("statements"),
        request.getfixturevalue("monkeypatch"),
    )


def _snowflake(request: pytest.FixtureRequest) -> Any:
    return snowflake(
        request.getfixturevalue("fakesnow"),
        request.getfixturevalue("statements"),
        request.getfixturevalue("monkeypatch"),
    )


def _databricks(request: pytest.FixtureRequest) -> Any:
    return databricks(
        request.getfixturevalue("tmp_path"),
        request.getfixturevalue("statements"),
        request.getfixturevalue("monkeypatch"),
    )


def _bigquery(request: pytest.FixtureRequest) -> Any:
    return bigquery(
        request.getfixturevalue("bigquery"),
        request.getfixturevalue("statements"),
        request.getfixturevalue("monkeypatch"),
    )


def _gcs(request: pytest.FixtureRequest) -> Any:
    patch = request.getfixturevalue("monkeypatch")
    return gcs(request.getfixturevalue("fake_gcs"), "parquet", patch)


def _azure(request: pytest.FixtureRequest) -> Any:
    patch = request.getfixturevalue("monkeypatch")
    return azure(request.getfixturevalue("azurite"), "parquet", patch)


def _files(name: str, destination: Callable[[pytest.FixtureRequest], Any]) -> list[Place]:
    """Return a place for each form that files have."""
    return [
        Place(
            name=f"{name}-parquet",
            destination=destination,
            hints={"file_format": "parquet"},
            merges=False,
        ),
        Place(name=f"{name}-delta", destination=destination, hints={"table_format": "delta"}),
        Place(name=f"{name}-iceberg", destination=destination, hints={"table_format": "iceberg"}),
    ]


PLACES = [
    Place(
        name="postgres-binary",
        destination=lambda request: restarrow.dlt.postgres(request.getfixturevalue("postgres")),
    ),
    Place(
        name="postgres-csv",
        destination=lambda request: dlt.destinations.postgres(request.getfixturevalue("postgres")),
    ),
    Place(name="local-jsonl", destination=_local, hints={"file_format": "jsonl"}, merges=False),
    *_files("local", _local),
    *_files("s3", _s3),
    Place(name="redshift", destination=_redshift, dialect="redshift"),
    Place(
        name="snowflake",
        destination=_snowflake,
        dialect="snowflake",
        verbs=("PUT", "COPY INTO", "REMOVE"),
        epoch_for_null=True,
    ),
    Place(name="databricks", destination=_databricks, dialect="databricks", verbs=VERBS),
    Place(name="bigquery", destination=_bigquery, dialect="bigquery"),
    _files("gcs", _gcs)[0],
    _files("azure", _azure)[0],
]
