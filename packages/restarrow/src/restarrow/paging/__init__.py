"""Reading lists page by page: which requests they take, and getting them in order, fast.

`make_plan` turns a paginator configuration into a plan, and `read_pages` reads what is planned.
"""

from __future__ import annotations

from restarrow.paging.chain import ChainPlan
from restarrow.paging.configure import KINDS, make_plan
from restarrow.paging.detect import AutoPlan, RowSelector
from restarrow.paging.drift import Drift, DriftAudit, DriftPolicy, find_drift
from restarrow.paging.guard import LoopPolicy
from restarrow.paging.paths import finder
from restarrow.paging.plans import Continuation, EndOfPages, Plan, SinglePagePlan
from restarrow.paging.ranges import OffsetPlan, PageNumberPlan
from restarrow.paging.reading import DecodedPage, read_pages
from restarrow.paging.references import CursorPlan, HeaderCursorPlan, HeaderLinkPlan, JsonLinkPlan
from restarrow.paging.slices import Slice, SlicePlan, SlicePolicy, cut, halve
from restarrow.paging.window import Fetch, WindowPolicy

__all__ = [
    "KINDS",
    "AutoPlan",
    "ChainPlan",
    "Continuation",
    "CursorPlan",
    "DecodedPage",
    "Drift",
    "DriftAudit",
    "DriftPolicy",
    "EndOfPages",
    "Fetch",
    "HeaderCursorPlan",
    "HeaderLinkPlan",
    "JsonLinkPlan",
    "LoopPolicy",
    "OffsetPlan",
    "PageNumberPlan",
    "Plan",
    "RowSelector",
    "SinglePagePlan",
    "Slice",
    "SlicePlan",
    "SlicePolicy",
    "WindowPolicy",
    "cut",
    "find_drift",
    "finder",
    "halve",
    "make_plan",
    "read_pages",
]
