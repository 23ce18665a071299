"""Read an API's answer: raise the error that it is, or hand its JSON on, decoded once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from opsnest.errors import AccessError, AnswerError, SourceError
from opsnest.events import PageRead, publish
from opsnest.json_values import is_object
from opsnest.rows import DEEP
from restarrow.dlt.answers import decode_json
from restarrow.errors import BodyError
from restarrow.http.urls import path_of, shown
from restarrow.nesting import depth_of, depth_of_json

__all__ = ["Said", "check_answer", "checker", "keep_json", "what_it_said"]

#: How much of an unexpected answer a message may quote.
_QUOTE = 120
#: How much of it is searched for what to quote.
_LOOKED_AT = 10_000


class Said(NamedTuple):
    """What an error answer said."""

    message: str | None
    code: str | None


def checker(
    source: str,
    resource: str,
    advice: Mapping[int, str],
    *,
    holds: Sequence[str] = (),
    plain: bool = False,
) -> Callable[[requests.Response], None]:
    """Return a dlt response action that checks every answer of one resource.

    Args:
        source: the dlt source, for messages.
        resource: the resource, for messages.
        advice: what to do next, by status.
        holds: the fields of which a good answer has one. dlt would read any other JSON as no rows.
        plain: whether a good answer may be text that does not claim to be JSON.
    """

    def check(response: requests.Response) -> None:
        check_answer(response, source=source, resource=resource, advice=advice, plain=plain)
        body: object = response.json() if holds and response.content else None
        if holds and not (is_object(body) and any(name in body for name in holds)):
            raise AnswerError(
                source=source,
                resource=resource,
                method=response.request.method or "GET",
                path=path_of(response.url),
                problem=f"the answer has no `{holds[0]}`",
                advice="Something between here and the API may have answered instead: check the "
                "address. If it has not, the API has changed: please report it with this message.",
                status=response.status_code,
                message=what_it_said(response).message,
            )

    return check


def check_answer(
    response: requests.Response,
    *,
    source: str,
    resource: str,
    advice: Mapping[int, str],
    plain: bool = False,
) -> None:
    """Raise the error that an answer is. Where it is none, its JSON is decoded and kept.

    Args:
        response: the answer.
        source: the dlt source or action group, for the message.
        resource: the resource or action, for the message.
        advice: what to do next, by status.
        plain: whether a good answer may be text that does not claim to be JSON; then that is kept.

    Raises:
        AccessError: 401, 403, and 404 where `advice` says that it means no access.
        AnswerError: any other status from 300, or a body that is not JSON, or nested too deeply.
    """
    status = response.status_code
    publish(PageRead(source, resource, len(response.content), response.elapsed.total_seconds()))
    if 200 <= status < 300:
        if plain and "json" not in response.headers.get("Content-Type", ""):
            keep_json(response, response.text)
        else:
            _keep_decoded(response, source, resource)
        return
    kind: type[SourceError] = AnswerError
    if status in {401, 403} or (status == 404 and 404 in advice):
        kind = AccessError
    said = what_it_said(response)
    if 300 <= status < 400:
        said = Said(f"redirects to {_bare(response.headers.get('Location', ''))}", None)
    raise kind(
        source=source,
        resource=resource,
        method=response.request.method or "GET",
        path=path_of(response.url),
        problem=_problem(status, kind),
        advice=advice.get(status) or _ADVICE.get(status) or _advice_of_class(status),
        status=status,
        message=said.message,
        code=said.code,
    )


def what_it_said(response: requests.Response) -> Said:
    """Find message and code in an error body of any of the platforms, or in an HTML page.

    Rootly sends `{"errors": [{"title", "detail", "code"}]}`, and `{"error"}` with a 429; Roost.ai
    and Automation 360 send `{"message", "code"}`, the latter with `details` at times.
    """
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return Said(_title(response.text), None)
    if depth_of(body) > DEEP:  # too deep to be written as text
        return Said(_shorten(response.text), None)
    match body:
        case {"errors": [{**first}, *_]}:
            parts = [_text(first.get("title")), _text(first.get("detail"))]
            return Said(": ".join(filter(None, parts)) or None, _text(first.get("code")))
        case {"error": str(message)}:
            return Said(message, None)
        case {"message": message, **rest}:
            parts = [_text(message), _text(rest.get("details"))]
            return Said(": ".join(filter(None, parts)) or None, _text(rest.get("code")))
        case _:
            return Said(_shorten(response.text), None)


def _keep_decoded(response: requests.Response, source: str, resource: str) -> None:
    if not response.content:  # 204, and actions that answer nothing
        return
    try:
        decoded = decode_json(response)
        depth = depth_of(decoded)
    except BodyError:
        decoded, depth = None, depth_of_json(response.content)
    except ValueError as error:
        kind = response.headers.get("Content-Type", "no content type")
        known = isinstance(error, requests.JSONDecodeError)
        why = "" if known else ": a number has thousands of digits"  # Python's own limit
        raise AnswerError(
            source=source,
            resource=resource,
            method=response.request.method or "GET",
            path=path_of(response.url),
            problem=f"the answer is not JSON ({kind}, {len(response.content)} bytes){why}",
            advice="Something between here and the API may have answered instead: check the "
            "address and the proxy. Run it again if the answer was cut short.",
            status=response.status_code,
            message=_title(response.text),
        ) from None
    if depth > DEEP:
        raise AnswerError(
            source=source,
            resource=resource,
            method=response.request.method or "GET",
            path=urlsplit(response.url).path,
            problem=f"the answer is nested {depth:,} levels deep, and no row has more than {DEEP}",
            advice="Nothing of it was loaded. Ask whoever runs the API what is in there; leave the "
            "resource out until then.",
            status=response.status_code,
        )
    keep_json(response, decoded)


def keep_json(response: requests.Response, payload: Any) -> None:
    """Let `response.json()` return `payload`.

    dlt asks for the JSON of each page twice or more, and decodes it each time; and an answer that
    is no JSON can be given a shape that dlt can load.
    """

    def kept(**_options: object) -> Any:
        return payload

    response.json = kept  # type: ignore[method-assign]


def _problem(status: int, kind: type[SourceError]) -> str:
    if status == 401:
        return "the credentials were not accepted"
    if kind is AccessError:
        return "the credentials may not read this"
    if status >= 500:
        return "the API failed, and went on failing"
    return "the API refused the request"


_ADVICE: Mapping[int, str] = {
    401: "Check the credentials in .dlt/secrets.toml; they may have expired.",
    403: "Ask for the permission to read this, or leave the resource out.",
    404: "Check the address in the configuration; this release of the platform may also lack it.",
}


def _advice_of_class(status: int) -> str:
    if status < 400:
        return "Put the address it redirects to in the configuration, if it is right."
    if status < 500:
        return "This looks like a change of the API: please report it with this message."
    return "Run it again later; what was loaded before stays."


def _title(text: str) -> str | None:
    """Return the title of an HTML page, or the beginning of the text."""
    text = text[:_LOOKED_AT]
    found = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return _shorten(found[1] if found else text)


def _shorten(text: str) -> str | None:
    line = " ".join(text[:_LOOKED_AT].split())
    return (line if len(line) <= _QUOTE else line[: _QUOTE - 1] + "…") or None


def _text(value: object) -> str | None:
    return _shorten(str(value)) if value not in (None, "") else None


def _bare(url: str) -> str:
    """Return a URL without users and query, which may hold credentials."""
    try:
        urlsplit(url)
    except ValueError:
        return "what is no address"
    return _shorten(shown(url)) or "nowhere"
