"""What differs between one Rootly organisation and another, each thing a switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class RootlyQuirks:
    """How the simulated organisation behaves. The defaults are an older, well-behaved one."""

    #: Answer 415 to a Content-Type that is not JSON:API's, as organisations made since 2026 do.
    media_type_required: bool = False
    #: Let the edge (Cloudflare) turn away requests without a User-Agent, with a page of HTML.
    user_agent_required: bool = True
    #: Cut a page size above the list's maximum down to it, instead of answering 400.
    clamp_page_size: bool = False
    #: Rows on a page when the request does not say.
    default_page_size: int = 25
    #: Rows that page[number] reaches on /v1/incidents; beyond, only page[after] goes on.
    deep_offset_limit: int = 10_000
    #: Let meta.total_count, and total_pages with it, count all rows of a filtered list.
    total_count_unfiltered: bool = False
    #: Leave meta.total_pages out.
    omit_total_pages: bool = False
    #: Labels of an incident: an object, an array of {key, value}, or now this and now that.
    labels: Literal["object", "array", "mixed"] = "object"
    #: Services and the like of an incident: an array of {data}, one {data: [...]}, absent but
    #: for `relationships`, or each of these in turn.
    nested: Literal["list", "wrapped", "relationships", "mixed"] = "list"
    #: Let enumerated values be null, or one that the API's document does not name.
    null_enums: bool = False
    #: Hours from UTC of the organisation's standard and daylight time, which time stamps carry;
    #: it changes its clocks on the dates of the United States.
    utc_offset_hours: tuple[int, int] = (-8, -7)
    #: Answer 403 on /v1/alert_routing_rules, as organisations with the newer alert routes do.
    advanced_alert_routing: bool = False
    #: Let a change of what belongs to an incident move the incident's updated_at, as Rails does
    #: with `touch: true`.
    children_touch_incident: bool = True

    @classmethod
    def strict(cls) -> RootlyQuirks:
        """Return everything that is hard to live with at once."""
        return cls(
            media_type_required=True,
            default_page_size=10,
            deep_offset_limit=1_000,
            total_count_unfiltered=True,
            omit_total_pages=True,
            labels="mixed",
            nested="mixed",
            null_enums=True,
            advanced_alert_routing=True,
        )
