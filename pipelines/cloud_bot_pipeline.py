"""Load Automation Anywhere A360's bots and their runs into DuckDB.

Credentials and address come from .dlt/secrets.toml, .dlt/config.toml or the environment.
"""

import dlt

from opsnest import exit_on_error
from opsnest.sources import cloud_bot_source


def get_data() -> None:
    """Run the pipeline once."""
    pipeline = dlt.pipeline(
        pipeline_name="cloud_bot_pipeline",
        destination="duckdb",
        dataset_name="cloud_bot_data",
    )
    load_info = pipeline.run(cloud_bot_source())
    print(load_info)


if __name__ == "__main__":
    with exit_on_error():
        get_data()
