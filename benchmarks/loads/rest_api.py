"""Load Rootly's incidents with a REST source: as dlt's users write it.

`rest_to_duckdb.py` runs this text as it stands, and with single lines of it exchanged.
"""

import os

import dlt
from dlt.sources.rest_api import rest_api_source

_PREFIX = "SOURCES__ROOTLY_INCIDENT_MANAGEMENT_SOURCE__"

source = rest_api_source(
    {
        "client": {
            "base_url": os.environ[f"{_PREFIX}BASE_URL"],
            "auth": {"type": "bearer", "token": os.environ[f"{_PREFIX}TOKEN"]},
        },
        "resources": [
            {
                "name": "incidents",
                "endpoint": {
                    "path": "incidents",
                    "params": {"page[size]": 100},
                    "data_selector": "data",
                    "paginator": {
                        "type": "page_number",
                        "base_page": 1,
                        "page_param": "page[number]",
                        "total_path": "meta.total_pages",
                    },
                },
            }
        ],
    }
)
pipeline = dlt.pipeline(
    "bench",
    destination=dlt.destinations.duckdb("bench.duckdb"),
    dataset_name="loaded",
    pipelines_dir="pipelines",
)
pipeline.run(source)
