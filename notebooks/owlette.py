"""Owlette: machines and what they run, versions, rollouts, and what the storage holds.

marimo run notebooks/owlette.py                # what `opsnest load owlette` loaded
marimo run notebooks/owlette.py -- --demo      # what `opsnest demo` loaded in this folder
marimo edit notebooks/owlette.py               # to change it
"""
# mypy: disable-error-code=no-untyped-def

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Owlette")

with app.setup:
    import altair as alt
    import marimo as mo
    import polars as pl

    from opsnest.looking.charts import BAD, GOOD, NEUTRAL, OPEN, Chart, durations, most
    from opsnest.looking.sections import figures, head, section
    from opsnest.looking.tables import Tables, flag, number, open_tables, text, time

    ONLINE = {"online": GOOD, "offline": BAD}
    STAGES = {"complete": GOOD, "aborted": BAD, "scheduled": NEUTRAL}
    LEVELS = {"error": BAD, "critical": "#8f1d2c", "warning": OPEN, "info": NEUTRAL}


@app.cell
def _():
    tables = open_tables("owlette", mo.cli_args().to_dict())
    return (tables,)


@app.cell
def _(tables: Tables):
    head("Owlette", "Machines, and the versions that are rolled out to them.", tables)
    return


@app.cell
def _(tables: Tables):
    sites = tables.read("sites", site=text("id"), name=text("name"))
    machines = tables.read(
        "machines",
        key=text("_dlt_id"),
        site=text("site_id"),
        machine=text("name"),
        online=flag("online"),
        agent=text("agent_version"),
    )
    roosts = tables.read(
        "roosts",
        roost=text("roost_id"),
        name=text("name"),
        current=text("current_version_id"),
    )
    versions = tables.read(
        "versions",
        roost=text("roost_id"),
        version=text("version_id"),
        version_number=number("version_number"),
        description=text("description"),
        published=time("created_at"),
        by=text("created_by"),
        files=number("total_files"),
        size=number("total_size"),
    )
    rollouts = tables.read(
        "deployments",
        roost=text("roost_id"),
        version=text("version_id"),
        stage=text("stage"),
        began=time("started_at"),
        ended=time("completed_at"),
    )
    has = tables.read(
        "machines__current_roosts",
        key=text("_dlt_parent_id"),
        roost=text("roost_id"),
        version=text("current_version_id"),
    )
    return has, machines, rollouts, roosts, sites, versions


@app.cell
def _(machines: pl.DataFrame, rollouts: pl.DataFrame, roosts: pl.DataFrame, versions: pl.DataFrame):
    figures(
        {
            "machines": machines.height,
            "online": machines["online"].sum(),
            "roosts": roosts.height,
            "versions": versions.height,
            "rollouts that go on": rollouts["ended"].null_count(),
        }
    )
    return


@app.cell
def _(machines: pl.DataFrame, sites: pl.DataFrame):
    section(
        "Machines, by site",
        machines.join(sites, on="site", how="left").with_columns(
            pl.coalesce("name", "site").alias("name"),
            pl.when("online").then(pl.lit("online")).otherwise(pl.lit("offline")).alias("state"),
        ),
        lambda rows: most(rows, of="name", by="state", colours=ONLINE),
        empty="No machines have been loaded.",
    )
    return


@app.cell
def _(
    has: pl.DataFrame,
    machines: pl.DataFrame,
    roosts: pl.DataFrame,
    versions: pl.DataFrame,
):
    section(
        "What machines have, by roost",
        what_machines_have(has, machines, roosts, versions),
        lambda rows: most(rows, of="name", by="has", colours={"the current version": GOOD}),
        empty="No machine has a roost.",
    )
    return


@app.cell
def _(rollouts: pl.DataFrame, roosts: pl.DataFrame, versions: pl.DataFrame):
    section(
        "Versions, newest first",
        listed(versions, roosts, rollouts),
        lambda rows: mo.ui.table(rows, selection=None, page_size=10, show_download=False),
        empty="No versions have been loaded.",
    )
    return


@app.cell
def _(rollouts: pl.DataFrame, roosts: pl.DataFrame):
    section(
        "Rollouts, by how far they are",
        rollouts.join(roosts, on="roost", how="left"),
        lambda rows: most(rows, of="name", by="stage", colours=STAGES),
        empty="Nothing has been rolled out.",
    )
    return


@app.cell
def _(rollouts: pl.DataFrame, roosts: pl.DataFrame):
    section(
        "How long rollouts take",
        rollouts.join(roosts, on="roost", how="left").filter(pl.col("ended") >= pl.col("began")),
        lambda rows: durations(rows, by="name", start="began", end="ended", unit="seconds"),
        empty="No rollout has ended.",
    )
    return


@app.cell
def _(tables: Tables):
    section(
        "What happened on machines",
        tables.read("logs", action=text("action"), level=text("level")),
        lambda rows: most(rows, of="action", by="level", colours=LEVELS),
        empty="No logs have been loaded.",
    )
    return


@app.cell
def _(sites: pl.DataFrame, tables: Tables):
    section(
        "Storage, by site",
        tables.read(
            "quota_history",
            site=text("site_id"),
            date=text("date"),
            bytes=number("storage_bytes_avg"),
        ).join(sites, on="site", how="left"),
        storage,
        empty="No history of quotas has been loaded.",
    )
    return


@app.function
def what_machines_have(
    has: pl.DataFrame, machines: pl.DataFrame, roosts: pl.DataFrame, versions: pl.DataFrame
) -> pl.DataFrame:
    """Return a row for each roost on a machine: its `name`, and whether it `has` what it should.

    Args:
        has: `key`, that of the machine; `roost`, `version`.
        machines: `key`.
        roosts: `roost`, `name`, `current`.
        versions: `version`, `version_number`.
    """
    there = has.join(machines, on="key", how="semi")
    named = there.join(roosts, on="roost", how="left").join(versions, on="version", how="left")
    older = pl.format("version {}", pl.col("version_number").cast(pl.Int64))
    return named.select(
        pl.coalesce("name", "roost").alias("name"),
        pl.when(pl.col("version") == pl.col("current"))
        .then(pl.lit("the current version"))
        .otherwise(pl.coalesce(older, pl.lit("another version")))
        .alias("has"),
    )


@app.function
def listed(versions: pl.DataFrame, roosts: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
    """Return what is to be known of each version, the newest first.

    Args:
        versions: `roost`, `version`, `version_number`, `description`, `published`, `by`, `files`
            and `size` in bytes.
        roosts: `roost`, `name`.
        rollouts: `version`, `stage`, `began`.
    """
    last = rollouts.sort("began").unique("version", keep="last").select("version", "stage")
    named = versions.join(roosts, on="roost", how="left").join(last, on="version", how="left")
    return named.sort("published", descending=True).select(
        pl.coalesce("name", "roost").alias("roost"),
        pl.col("version_number").cast(pl.Int64).alias("version"),
        "description",
        pl.col("published").dt.strftime("%Y-%m-%d %H:%M"),
        "by",
        pl.col("files").cast(pl.Int64),
        (pl.col("size") / 1000).round(1).alias("kilobytes"),
        pl.col("stage").alias("rollout"),
    )


@app.function
def storage(history: pl.DataFrame) -> Chart:
    """Draw a line for each site: how many megabytes it stored, day by day."""
    rows = history.select(
        pl.col("date").str.to_date(strict=False),
        pl.coalesce("name", "site").alias("site"),
        (pl.col("bytes") / 1e6).round(3).alias("megabytes"),
    )
    drawn: alt.Chart = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("date:T", title=None),
            alt.Y("megabytes:Q"),
            alt.Color("site:N", title=None),
            tooltip=["site:N", "date:T", "megabytes:Q"],
        )
        .properties(height=220)
    )
    return drawn


if __name__ == "__main__":
    app.run()
