"""How pipelines are: when they last ran, how fresh their tables are, what failed and what waits.

- `opsnest.status.records`: what dlt wrote down where the pipelines ran.
- `opsnest.status.destinations`: what it wrote down at the destination.
- `opsnest.status.judging`: what is to be thought of it.
- `opsnest.status.showing`: it in words, in a table, or as JSON.

Nothing is changed on the way: no file, no state, and no table.
"""
