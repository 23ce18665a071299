"""Load Rootly's incidents, alerts and on-call into DuckDB.

Credentials and address come from .dlt/secrets.toml, .dlt/config.toml or the environment.
"""

import dlt

from opsnest import exit_on_error
from opsnest.sources import rootly_incident_management_source


def get_data() -> None:
    """Run the pipeline once."""
    pipeline = dlt.pipeline(
        pipeline_name="rootly_incident_management_pipeline",
        destination="duckdb",
        dataset_name="rootly_incident_management_data",
    )
    load_info = pipeline.run(rootly_incident_management_source())
    print(load_info)


if __name__ == "__main__":
    with exit_on_error():
        get_data()
