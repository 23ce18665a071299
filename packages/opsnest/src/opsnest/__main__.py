"""Run the command line with `python -m opsnest`."""

from opsnest.cli import main

main()
