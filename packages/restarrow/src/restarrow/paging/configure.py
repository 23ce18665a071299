"""Plans by name: what a paginator configuration stands for. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from restarrow.errors import ConfigurationError
from restarrow.paging.detect import AutoPlan
from restarrow.paging.plans import Plan, SinglePagePlan
from restarrow.paging.ranges import OffsetPlan, PageNumberPlan
from restarrow.paging.references import CursorPlan, HeaderCursorPlan, HeaderLinkPlan, JsonLinkPlan
from restarrow.types import Request

#: The kinds of lists, by the names that dlt's REST source gives them.
KINDS: Mapping[str, Callable[..., Plan]] = {
    "auto": AutoPlan,
    "cursor": CursorPlan,
    "header_cursor": HeaderCursorPlan,
    "header_link": HeaderLinkPlan,
    "json_link": JsonLinkPlan,
    "offset": OffsetPlan,
    "page_number": PageNumberPlan,
    "single_page": SinglePagePlan,
}


def make_plan(
    config: str | Mapping[str, Any] | None, request: Request, *, base_url: str = ""
) -> Plan:
    """Return the plan that a configuration stands for.

    Args:
        config: the name of a kind, or its arguments with the name as `type`; nothing means auto.
        request: the first request, without what the paginator adds.
        base_url: what the request's path is below.

    Raises:
        ConfigurationError: there is no such kind, or it has no such arguments.
    """
    arguments: dict[str, Any]
    if config is None or isinstance(config, str):
        kind, arguments = config or "auto", {}
    else:
        arguments = dict(config)
        kind = arguments.pop("type", "auto")
    if kind not in KINDS:
        msg = f"there is no paginator {kind!r}: choose one of {', '.join(sorted(KINDS))}"
        raise ConfigurationError(msg)
    make = KINDS[kind]
    signature = inspect.signature(make)
    if "base_url" in signature.parameters:
        arguments.setdefault("base_url", base_url)
    try:
        signature.bind(request, **arguments)
    except TypeError as error:
        msg = f"paginator {kind!r}: {error}"
        raise ConfigurationError(msg) from None
    return make(request, **arguments)
