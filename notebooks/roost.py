"""Roost.ai: how test runs end, how long they take, and which tests fail.

marimo run notebooks/roost.py                  # what `opsnest load roost` loaded
marimo run notebooks/roost.py -- --demo        # what `opsnest demo` loaded in this folder
marimo edit notebooks/roost.py                 # to change it
"""
# mypy: disable-error-code=no-untyped-def

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Roost.ai")

with app.setup:
    import marimo as mo
    import polars as pl

    from opsnest.looking.charts import BAD, GOOD, OPEN, durations, most, over_time, recent
    from opsnest.looking.sections import PERIODS, figures, head, section
    from opsnest.looking.tables import Tables, open_tables, text, time

    ENDS = {"completed": GOOD, "failed": BAD, "timeout": "#8f1d2c", "aborted": OPEN}


@app.cell
def _():
    tables = open_tables("roost", mo.cli_args().to_dict())
    period = mo.ui.dropdown(PERIODS, value="13 weeks", label="Up to the newest:")
    return period, tables


@app.cell
def _(period: mo.ui.dropdown, tables: Tables):
    mo.vstack([head("Roost.ai", "Tests, and the events that ran them.", tables), period])
    return


@app.cell
def _(period: mo.ui.dropdown, tables: Tables):
    events = recent(
        tables.read(
            "events",
            test=text("test_id"),
            type=text("test_type"),
            status=text("status"),
            began=time("time"),
            ended=time("completion_time"),
        ),
        "began",
        period.value,
    )
    tests = tables.read(
        "tests", test=text("id"), name=text("test_name"), repository=text("source_repo")
    )
    return events, tests


@app.cell
def _(events: pl.DataFrame, tests: pl.DataFrame):
    ended = events.filter(pl.col("status").is_in(list(ENDS)))
    completed = ended.filter(pl.col("status") == "completed")
    figures(
        {
            "tests": tests.height,
            "runs": events.height,
            "that have ended": ended.height,
            "of these completed": f"{completed.height / ended.height:.0%}"
            if ended.height
            else None,
        }
    )
    return


@app.cell
def _(events: pl.DataFrame):
    section(
        "Runs per week, by how they ended",
        events,
        lambda rows: over_time(rows, when="began", by="status", colours=ENDS),
        empty="No events have been loaded.",
    )
    return


@app.cell
def _(events: pl.DataFrame):
    section(
        "How long runs take, by type of test",
        events.filter(pl.col("ended") >= pl.col("began")),
        lambda rows: durations(rows, by="type", start="began", end="ended"),
        empty="No run has ended.",
    )
    return


@app.cell
def _(events: pl.DataFrame, tests: pl.DataFrame):
    section(
        "Tests that fail most",
        failures(events, tests),
        lambda rows: most(rows, of="name", by="status", colours=ENDS),
        empty="No run has failed.",
    )
    return


@app.cell
def _(events: pl.DataFrame):
    section(
        "How runs end, by type of test",
        events,
        lambda rows: most(rows, of="type", by="status", colours=ENDS),
        empty="No events have been loaded.",
    )
    return


@app.function
def failures(events: pl.DataFrame, tests: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that failed, with the names of their tests as far as they are known.

    Args:
        events: `test`, `status`.
        tests: `test`, `name`.
    """
    failed = events.filter(pl.col("status").is_in(["failed", "timeout"]))
    named = failed.join(tests, on="test", how="left")
    return named.with_columns(pl.coalesce("name", "test").alias("name"))


if __name__ == "__main__":
    app.run()
