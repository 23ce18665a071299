"""The command line: one module for each group of commands."""

from __future__ import annotations

from opsnest.cli import assistants, checking, loading, looking, operating, orchestrating
from opsnest.cli.app import app

__all__ = [
    "app",
    "assistants",
    "checking",
    "loading",
    "looking",
    "main",
    "operating",
    "orchestrating",
]


def main() -> None:
    """Run the command line."""
    app(prog_name="opsnest")
