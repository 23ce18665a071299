"""Errors: which class, what they tell, and that they keep secrets."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import Any

import httpx
import pytest

import roost
from roost import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    MachineOfflineError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    RateLimitedError,
    RetryPolicy,
    Roost,
    RoostApiError,
    RoostError,
    RoostTransportError,
    ServerError,
    StreamError,
    VersionStaleError,
    WebhookSignatureError,
    _errors,
)
from roost._errors import api_error
from roost.testing import RecordedTransport, Reply, refusal

TOKEN = "owk_live_Zm9vYmFyYmF6"


async def _refused(reply: Reply) -> RoostApiError:
    transport = RecordedTransport(reply)
    async with Roost(token=TOKEN, transport=transport, retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(RoostApiError) as caught:
            await client.roosts.get("rst_missing", site_id="site-1")
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "validation_failed", InvalidRequestError),
        (401, "token_expired", AuthenticationError),
        (402, "quota_exceeded", QuotaExceededError),
        (403, "scope_insufficient", PermissionDeniedError),
        (404, "version_not_found", NotFoundError),
        (409, "conflict", ConflictError),
        (409, "machine_offline", MachineOfflineError),
        (410, "upload_expired", NotFoundError),
        (412, "precondition_failed", PreconditionFailedError),
        (412, "version_stale", VersionStaleError),
        (413, "payload_too_large", InvalidRequestError),
        (422, "idempotency_key_mismatch", InvalidRequestError),
        (429, "rate_limited", RateLimitedError),
        (500, "internal_error", ServerError),
        (503, "service_unavailable", ServerError),
        (418, "teapot", RoostApiError),
        (404, "machine_offline", NotFoundError),
    ],
)
async def test_the_class_of_an_error(status: int, code: str, kind: type[RoostApiError]) -> None:
    error = await _refused(refusal(status, code, detail="no"))
    assert type(error) is kind
    assert (error.status, error.code, str(error)) == (status, code, "no")


async def test_what_an_error_tells() -> None:
    error = await _refused(
        refusal(
            404,
            "not_found",
            detail="no such roost",
            requestId="req_body",
            docsUrl="https://owlette.app/docs/api/errors#not_found",
            errors={"query.siteId": ["required"]},
            headers={"X-Request-Id": "req_header"},
        )
    )
    assert error.request_id == "req_body"
    assert error.problem["detail"] == "no such roost"
    assert error.docs_url == "https://owlette.app/docs/api/errors#not_found"
    assert error.field_errors == {"query.siteId": ["required"]}
    assert (error.method, error.url) == ("GET", "https://owlette.app/api/roosts/rst_missing")
    assert repr(error) == (
        "NotFoundError(404, 'not_found', GET https://owlette.app/api/roosts/rst_missing, "
        "'no such roost')"
    )


async def test_the_request_id_may_be_in_the_header_only() -> None:
    error = await _refused(refusal(500, headers={"X-Request-Id": "req_header"}))
    assert error.request_id == "req_header"
    assert error.code is None
    assert error.field_errors == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        (b"", "HTTP 502"),
        (b"[1]", "[1]"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"null", "HTTP 502"),
    ],
)
async def test_answers_that_are_no_problem_documents(content: bytes, told: str) -> None:
    error = await _refused(lambda _: httpx.Response(502, content=content))
    assert type(error) is ServerError
    assert str(error) == told


async def test_a_redirect_is_not_followed() -> None:
    where = "https://other.example/api?token=x"
    error = await _refused(lambda _: httpx.Response(302, headers={"location": where}))
    assert error.status == 302
    assert "the API has moved to https://other.example/api: if that is right" in str(error)


@pytest.mark.parametrize(
    ("problem", "current"),
    [
        ({"currentVersionId": "vrs_2"}, "vrs_2"),
        ({"detail": "did not match the current head (ab12). re-read + retry."}, "ab12"),
        ({"detail": "did not match the current head (null). re-read + retry."}, None),
        ({"detail": "3 chunk(s) are missing"}, None),
        ({}, None),
    ],
)
def test_the_version_that_is_current(problem: dict[str, Any], current: str | None) -> None:
    error = api_error(412, {"code": "version_stale", **problem})
    assert isinstance(error, VersionStaleError)
    assert error.current_version_id == current


async def test_errors_can_be_pickled() -> None:
    one = await _refused(refusal(412, "version_stale", detail="d", requestId="r"))
    other = pickle.loads(pickle.dumps(one))
    assert type(other) is VersionStaleError
    assert vars(other) == vars(one)
    assert str(other) == "d"
    lost = pickle.loads(pickle.dumps(RoostTransportError("cut", method="GET", url="https://x")))
    assert (str(lost), lost.method) == ("GET https://x: cut", "GET")


def test_all_errors_have_one_root() -> None:
    errors = [getattr(roost, name) for name in roost.__all__ if name.endswith("Error")]
    assert len(errors) > 10
    assert all(issubclass(each, RoostError) for each in errors)
    tree = str(_errors.__doc__)
    assert [each.__name__ for each in errors if each.__name__ not in tree] == []
    assert issubclass(StreamError, RuntimeError)
    assert issubclass(RoostTransportError, ConnectionError)
    assert WebhookSignatureError("bad_signature").reason == "bad_signature"


# ---- secrets


async def test_secrets_are_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    replies: list[Reply] = [
        refusal(401, detail=f"who is {TOKEN}?"),
        lambda request: httpx.Response(403, text=f"{request.headers['authorization']} is wrong"),
        httpx.ConnectError(f"to https://user:pw@proxy?key={TOKEN}"),
        lambda _: httpx.Response(301, headers={"location": f"https://x/{TOKEN}?sig=1"}),
    ]
    told: list[str] = []
    for reply in replies:
        transport = RecordedTransport(reply)
        retry = RetryPolicy(max_attempts=2, base_delay_s=0.0)
        async with Roost(token=TOKEN, transport=transport, retry=retry) as client:
            try:
                await client.http.request("/api/x", query={"api_key": TOKEN})
            except RoostError as error:
                told += [str(error), repr(error), *traceback.format_exception_only(error)]
            told += [repr(client), repr(client.http)]
    told += [each.getMessage() for each in caplog.records if each.name == "roost"]
    assert len(told) > 12
    assert [each for each in told if "Zm9v" in each] == []


@pytest.mark.parametrize(
    ("token", "message"),
    [("", "empty"), ("  ", "empty"), (None, "empty"), ("owk_a b", "characters"), ("owk_é", "char")],
)
def test_tokens_that_cannot_be(token: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Roost(token=token)


@pytest.mark.parametrize("url", ["owlette.app", "", "ftp://owlette.app", "https://"])
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError, match="api_url is no URL"):
        Roost(token=TOKEN, api_url=url)


async def test_a_key_of_another_environment_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    async with Roost(token="owk_test_x", environment="live", transport=RecordedTransport()):
        pass
    assert "owk_live_" in caplog.text
    assert "owk_test_x" not in caplog.text
