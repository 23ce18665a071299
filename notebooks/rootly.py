"""Rootly: incidents, how long they take, where alerts come from, and who is on call.

marimo run notebooks/rootly.py                 # what `opsnest load rootly` loaded
marimo run notebooks/rootly.py -- --demo       # what `opsnest demo` loaded in this folder
marimo edit notebooks/rootly.py                # to change it
"""
# mypy: disable-error-code=no-untyped-def

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Rootly")

with app.setup:
    from datetime import UTC, datetime

    import marimo as mo
    import polars as pl

    from opsnest.looking.charts import BAD, GOOD, OPEN, durations, most, over_time, recent
    from opsnest.looking.sections import PERIODS, figures, head, section
    from opsnest.looking.tables import Tables, open_tables, text, time

    SEVERITY = "attributes__severity__data__attributes__name"
    # not those of tests, examples and planned maintenance
    REAL = ["normal", "normal_sub", "backfilled"]
    SEVERITIES = {
        "SEV0": "#8f1d2c",
        "SEV1": BAD,
        "SEV2": OPEN,
        "SEV3": "#8ab17d",
        "SEV4": GOOD,
    }
    STATES = {"triggered": BAD, "open": BAD, "acknowledged": OPEN, "resolved": GOOD}


@app.cell
def _():
    tables = open_tables("rootly", mo.cli_args().to_dict())
    period = mo.ui.dropdown(PERIODS, value="13 weeks", label="Up to the newest:")
    return period, tables


@app.cell
def _(period: mo.ui.dropdown, tables: Tables):
    mo.vstack(
        [head("Rootly", "Incidents, alerts and people on call. Times are medians.", tables), period]
    )
    return


@app.cell
def _(period: mo.ui.dropdown, tables: Tables):
    incidents = recent(
        tables.read(
            "incidents",
            kind=text("attributes__kind"),
            severity=text(SEVERITY),
            status=text("attributes__status"),
            started=time("attributes__started_at"),
            acknowledged=time("attributes__acknowledged_at"),
            resolved=time("attributes__resolved_at"),
        ).filter(pl.col("kind").is_in(REAL)),
        "started",
        period.value,
    )
    alerts = recent(
        tables.read(
            "alerts",
            source=text("attributes__source"),
            status=text("attributes__status"),
            started=time("attributes__started_at"),
        ),
        "started",
        period.value,
    )
    return alerts, incidents


@app.cell
def _(alerts: pl.DataFrame, incidents: pl.DataFrame):
    figures(
        {
            "incidents": incidents.height,
            "not resolved yet": incidents["resolved"].null_count(),
            "minutes to acknowledge": median_minutes(incidents, "acknowledged"),
            "minutes to resolve": median_minutes(incidents, "resolved"),
            "alerts": alerts.height,
        }
    )
    return


@app.cell
def _(incidents: pl.DataFrame):
    section(
        "Incidents per week, by severity",
        incidents,
        lambda rows: over_time(rows, when="started", by="severity", colours=SEVERITIES),
        empty="No incidents have been loaded.",
    )
    return


@app.cell
def _(incidents: pl.DataFrame):
    section(
        "Time to resolve, by severity",
        incidents.filter(pl.col("resolved") > pl.col("started")),
        lambda rows: durations(rows, by="severity", start="started", end="resolved", unit="hours"),
        empty="No incident has been resolved.",
    )
    return


@app.cell
def _(alerts: pl.DataFrame):
    section(
        "Alerts, by source",
        alerts,
        lambda rows: most(rows, of="source", by="status", colours=STATES),
        empty="No alerts have been loaded.",
    )
    return


@app.cell
def _(period: mo.ui.dropdown, tables: Tables):
    shifts = tables.read(
        "shifts",
        user=text("attributes__user_id"),
        schedule=text("attributes__schedule_id"),
        starts=time("attributes__starts_at"),
        ends=time("attributes__ends_at"),
    )
    people = tables.read("users", user=text("id"), person=text("attributes__full_name"))
    schedules = tables.read("schedules", schedule=text("id"), name=text("attributes__name"))
    begun = shifts.filter(pl.col("starts") <= datetime.now(UTC))
    load = on_call(recent(begun, "starts", period.value), people, schedules)
    return (load,)


@app.cell
def _(load: pl.DataFrame):
    section(
        "Hours on call, by person and schedule",
        load,
        lambda rows: most(rows, of="person", by="schedule", total="hours", top=15),
        empty="No shifts have been loaded.",
    )
    return


@app.function
def median_minutes(incidents: pl.DataFrame, end: str) -> int | None:
    """Return the median of the minutes that incidents took from their start to this."""
    minutes = (incidents[end] - incidents["started"]).dt.total_minutes()
    median = minutes.filter(minutes >= 0).median()
    return round(median) if isinstance(median, int | float) else None


@app.function
def on_call(shifts: pl.DataFrame, people: pl.DataFrame, schedules: pl.DataFrame) -> pl.DataFrame:
    """Return how long each shift is, with the names of the person and the schedule.

    Args:
        shifts: `user`, `schedule`, `starts`, `ends`.
        people: `user`, `person`.
        schedules: `schedule`, `name`.
    """
    named = shifts.join(people, on="user", how="left").join(schedules, on="schedule", how="left")
    return named.select(
        pl.coalesce("person", "user", pl.lit("nobody")).alias("person"),
        pl.coalesce("name", "schedule").alias("schedule"),
        ((pl.col("ends") - pl.col("starts")).dt.total_minutes() / 60).alias("hours"),
    )


if __name__ == "__main__":
    app.run()
