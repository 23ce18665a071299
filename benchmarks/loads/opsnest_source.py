"""Load Rootly's incidents with the source of opsnest, which drops secrets and merges on the key."""

import dlt

from opsnest.sources import rootly_incident_management_source

pipeline = dlt.pipeline(
    "bench",
    destination=dlt.destinations.duckdb("bench.duckdb"),
    dataset_name="loaded",
    pipelines_dir="pipelines",
)
pipeline.run(rootly_incident_management_source().with_resources("incidents"))
