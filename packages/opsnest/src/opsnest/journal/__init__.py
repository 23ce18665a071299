"""The page journal: what a load has read is kept on disk, so that a run that is cut off goes on.

dlt throws away what was extracted when a run dies amid it. Here each page is written down as it
comes, and the next run takes the pages that are there, in place of asking for them again.
"""

from __future__ import annotations

from opsnest.journal.journal import (
    Head,
    Journal,
    Kept,
    began,
    journal_of,
    journaling,
    note_extracted,
    opened,
    path_of,
)
from opsnest.journal.keeping import Keeping
from opsnest.journal.replay import Replay

__all__ = [
    "Head",
    "Journal",
    "Keeping",
    "Kept",
    "Replay",
    "began",
    "journal_of",
    "journaling",
    "note_extracted",
    "opened",
    "path_of",
]
