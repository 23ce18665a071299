"""Load operations platforms into your own database with dlt, and act on them.

- `opsnest.sources`: dlt sources for Roost.ai, Rootly and Automation Anywhere A360.
- `opsnest.actions`: what can be started there: a test, a bot, an API task.
- `opsnest.errors`: what can go wrong.
- `opsnest.exit_on_error`: the same on a terminal, as one message and an exit code.
"""

from __future__ import annotations

from opsnest.explain import exit_on_error

__all__ = ["exit_on_error"]
