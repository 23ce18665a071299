"""Let a machine load a platform again and again: what cron, systemd or GitHub Actions want to read.

- `opsnest.deploy.jobs`: what is to be run, and when.
- `opsnest.deploy.cron`, `opsnest.deploy.systemd`, `opsnest.deploy.github`: it in their words.
- `opsnest.deploy.variables`: the secrets that it needs, by name; values are never written.
- `opsnest.deploy.writing`: files into their places.

What all three have in common: a load never overlaps with another of the same pipeline, it is ended
when it hangs, and one that fails is told.
"""
