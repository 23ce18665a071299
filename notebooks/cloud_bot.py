"""Automation Anywhere A360: runs of bots, those that fail, how long they take, and the robots.

marimo run notebooks/cloud_bot.py              # what `opsnest load cloud-bot` loaded
marimo run notebooks/cloud_bot.py -- --demo    # what `opsnest demo` loaded in this folder
marimo edit notebooks/cloud_bot.py             # to change it
"""
# mypy: disable-error-code=no-untyped-def

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Cloud bot")

with app.setup:
    import marimo as mo
    import polars as pl

    from opsnest.looking.charts import BAD, GOOD, OPEN, durations, most, over_time, recent
    from opsnest.looking.sections import PERIODS, figures, head, section
    from opsnest.looking.tables import Tables, open_tables, text, time

    STATES = {
        "COMPLETED": GOOD,
        "RUN_FAILED": BAD,
        "DEPLOY_FAILED": "#b56576",
        "RUN_TIMED_OUT": "#8f1d2c",
        "RUN_ABORTED": OPEN,
    }
    FAILURES = ["RUN_FAILED", "DEPLOY_FAILED", "RUN_TIMED_OUT"]
    ROBOTS = {"CONNECTED": GOOD, "DISCONNECTED": OPEN, "OFFLINE": BAD}


@app.cell
def _():
    tables = open_tables("cloud-bot", mo.cli_args().to_dict())
    period = mo.ui.dropdown(PERIODS, value="13 weeks", label="Up to the newest:")
    return period, tables


@app.cell
def _(period: mo.ui.dropdown, tables: Tables):
    about = "Bots of an Automation Anywhere A360 Control Room, and the robots that run them."
    mo.vstack([head("Cloud bot", about, tables), period])
    return


@app.cell
def _(period: mo.ui.dropdown, tables: Tables):
    runs = recent(
        tables.read(
            "executions",
            bot=text("file_name"),
            status=text("status"),
            began=time("start_date_time"),
            ended=time("end_date_time"),
        ),
        "began",
        period.value,
    )
    robots = tables.read("robots", pool=text("pool_name"), kind=text("type"), status=text("status"))
    return robots, runs


@app.cell
def _(robots: pl.DataFrame, runs: pl.DataFrame):
    ended = runs.filter(pl.col("ended").is_not_null())
    failed = ended.filter(pl.col("status").is_in(FAILURES))
    figures(
        {
            "runs": runs.height,
            "that have ended": ended.height,
            "of these failed": f"{failed.height / ended.height:.0%}" if ended.height else None,
            "bots that failed": failed["bot"].n_unique(),
            "robots": robots.height,
            "connected": robots.filter(pl.col("status") == "CONNECTED").height,
        }
    )
    return


@app.cell
def _(runs: pl.DataFrame):
    section(
        "Runs per day, by how they ended",
        runs,
        lambda rows: over_time(rows, when="began", by="status", step="1d", colours=STATES),
        empty="No executions have been loaded.",
    )
    return


@app.cell
def _(runs: pl.DataFrame):
    section(
        "Bots that fail most",
        runs.filter(pl.col("status").is_in(FAILURES)),
        lambda rows: most(rows, of="bot", by="status", colours=STATES),
        empty="No run has failed.",
    )
    return


@app.cell
def _(runs: pl.DataFrame):
    section(
        "How long runs take, of the bots that run most",
        runs.filter((pl.col("ended") >= pl.col("began")) & (pl.col("status") == "COMPLETED")),
        lambda rows: durations(rows, by="bot", start="began", end="ended"),
        empty="No run has been completed.",
    )
    return


@app.cell
def _(robots: pl.DataFrame):
    section(
        "Robots, by kind",
        robots,
        lambda rows: most(rows, of="kind", by="status", colours=ROBOTS),
        empty="No robots have been loaded.",
    )
    return


if __name__ == "__main__":
    app.run()
