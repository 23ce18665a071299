"""Load Owlette's fleets, and what is published to them, into DuckDB.

Credentials and address come from .dlt/secrets.toml, .dlt/config.toml or the environment.
"""

import dlt

from opsnest import exit_on_error
from opsnest.sources import owlette_source


def get_data() -> None:
    """Run the pipeline once."""
    pipeline = dlt.pipeline(
        pipeline_name="owlette_pipeline",
        destination="duckdb",
        dataset_name="owlette_data",
    )
    load_info = pipeline.run(owlette_source())
    print(load_info)


if __name__ == "__main__":
    with exit_on_error():
        get_data()
