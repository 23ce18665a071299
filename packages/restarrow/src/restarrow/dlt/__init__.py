"""A drop-in for `dlt.sources.rest_api`: the same tables, sooner."""

from __future__ import annotations

from restarrow.dlt.destinations import postgres
from restarrow.dlt.report import ResourceReport, report
from restarrow.dlt.sources import (
    RESTAPIConfig,
    accelerate,
    check_connection,
    rest_api,
    rest_api_resources,
    rest_api_source,
)

__all__ = [
    "RESTAPIConfig",
    "ResourceReport",
    "accelerate",
    "check_connection",
    "postgres",
    "report",
    "rest_api",
    "rest_api_resources",
    "rest_api_source",
]
