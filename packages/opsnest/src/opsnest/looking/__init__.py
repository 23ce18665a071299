"""Looking at what was loaded: in dlt's dashboard, in notebooks, and from Python.

- `opsnest.looking.pipelines`: finding pipelines, and reading what they loaded where they wrote it.
- `opsnest.looking.tables`: their tables as Polars frames; none can be missing, nor a column.
- `opsnest.looking.sections`: what the notebooks are made of.
- `opsnest.looking.dashboard`: dlt's dashboard; all that Opsnest knows of its insides is in there.
- `opsnest.looking.serving`: opening a notebook, as the dashboard is one, for this machine alone.
"""
