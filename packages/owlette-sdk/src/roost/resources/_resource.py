"""What all groups of methods have in common."""

from __future__ import annotations

from typing import Any, Final

from roost._errors import api_error
from roost._hooks import shown_url
from roost.client import ApiResponse, Query, RoostClient

__all__ = ["NOT_GIVEN", "NotGiven", "Resource", "given", "inner"]


class NotGiven:
    """The type of `NOT_GIVEN`."""

    def __repr__(self) -> str:
        return "NOT_GIVEN"

    def __bool__(self) -> bool:
        return False


#: Leave a field as it is, where None would clear it.
NOT_GIVEN: Final = NotGiven()


class Resource:
    """A group of methods, which send their requests with one client."""

    __slots__ = ("_http",)

    def __init__(self, http: RoostClient) -> None:
        self._http = http

    async def _ask(
        self,
        path: str,
        *,
        method: str = "GET",
        query: Query | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        repeatable: bool = True,
        key_prefix: str = "py-sdk-",
    ) -> ApiResponse:
        """Send a request whose answer is JSON: an object or a list.

        Raises:
            RoostApiError: it refuses, or is something else, as the page of a proxy would be.
        """
        answer = await self._http.request(
            path,
            method=method,
            query=query,
            body=body,
            idempotency_key=idempotency_key,
            repeatable=repeatable,
            key_prefix=key_prefix,
        )
        if not isinstance(answer.data, (dict, list)):
            said = "nothing" if answer.data is None else repr(answer.data)[:200]
            problem = {"detail": f"the answer is {said}, not a JSON object: is api_url right?"}
            url = shown_url(f"{self._http.api_url}{path}")
            raise api_error(answer.status, problem, method=method, url=url, headers=answer.headers)
        return answer


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def inner(payload: Any) -> Any:
    """Return what is under `data` in answers that are `{"ok": true, "data": ...}`."""
    members: Any = payload
    return members["data"] if isinstance(payload, dict) and "data" in members else members
