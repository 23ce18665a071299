"""Signatures of webhooks: the vectors of the contract, every reason, and any garbage."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost import is_signature_valid, sign_body, verify_signature

SECRET = "whsec_test"
BODY = b'{"event":"version.published"}'
WHEN = 1_735_689_600
HEX = "39c97ae62f654973abf5d6716cd8180df039fdd21cadf019cf6d030c3d9b2629"
HEADER = f"t={WHEN},v1={HEX}"


def test_the_vector_of_the_contract() -> None:
    assert sign_body(BODY, SECRET, timestamp_seconds=WHEN) == HEADER
    assert sign_body(BODY.decode(), SECRET.encode(), timestamp_seconds=WHEN) == HEADER
    result = verify_signature(HEADER, BODY, SECRET, now=WHEN)
    assert (result.ok, result.reason, result.timestamp) == (True, None, WHEN)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing_header"),
        ("", "missing_header"),
        ("  ", "missing_header"),
        ("garbage", "malformed_header"),
        ("=1,v1=ab", "malformed_header"),
        ("t=abc,v1=ab", "malformed_header"),
        ("t=0,v1=ab", "malformed_header"),
        ("t=-1,v1=ab", "malformed_header"),
        ("t= +1_0,v1=ab", "malformed_header"),
        ("t=1e3,v1=ab", "malformed_header"),
        ("t=nan,v1=ab", "malformed_header"),
        ("t=1,v1=zz", "malformed_header"),
        ("t=1,v1=", "malformed_header"),
        ("t=1,rest", "malformed_header"),
        (f"v1={HEX}", "missing_timestamp"),
        ("v0=x", "missing_timestamp"),
        (f"t={WHEN}", "missing_v1"),
        (f"t={WHEN},v2={HEX}", "missing_v1"),
        (f"t={WHEN - 301},v1={HEX}", "timestamp_out_of_tolerance"),
        (f"t={WHEN + 301},v1={HEX}", "timestamp_out_of_tolerance"),
        (f"t={WHEN},v1={'0' * 64}", "bad_signature"),
        (f"t={WHEN},v1={HEX[:-2]}", "bad_signature"),
        (f"t={WHEN - 1},v1={HEX}", "bad_signature"),
    ],
)
def test_reasons(header: str | None, reason: str) -> None:
    result = verify_signature(header, BODY, SECRET, now=WHEN)
    assert (result.ok, result.reason) == (False, reason)
    assert not is_signature_valid(header, BODY, SECRET, now=WHEN)


@pytest.mark.parametrize(
    "header",
    [
        f" t = {WHEN} , v1 = {HEX} ",
        f"v1={HEX},t={WHEN}",
        f"t={WHEN},v1={HEX.upper()}",
        f"t={WHEN},v1={'0' * 64},v1={HEX}",
        f"t={WHEN},v0=anything,,v1={HEX},",
    ],
)
def test_headers_that_are_good_all_the_same(header: str) -> None:
    assert is_signature_valid(header, BODY, SECRET, now=WHEN)


def test_any_of_several_secrets_will_do() -> None:
    assert is_signature_valid(HEADER, BODY, ["whsec_new", SECRET], now=WHEN)
    assert is_signature_valid(HEADER, BODY, (b"whsec_test",), now=WHEN)
    assert not is_signature_valid(HEADER, BODY, ["whsec_new", "whsec_newer"], now=WHEN)


@pytest.mark.parametrize("secret", ["", b"", [], ["whsec_x", ""]])
def test_an_empty_secret_is_refused(secret: object) -> None:
    with pytest.raises(ValueError, match="secret is empty"):
        verify_signature(HEADER, BODY, secret)  # type: ignore[arg-type]
    if isinstance(secret, (str, bytes)):
        with pytest.raises(ValueError, match="secret is empty"):
            sign_body(BODY, secret)


def test_the_time_that_is_let_pass() -> None:
    late = WHEN + 600
    assert not is_signature_valid(HEADER, BODY, SECRET, now=late)
    assert is_signature_valid(HEADER, BODY, SECRET, now=late, tolerance_seconds=600)
    assert is_signature_valid(HEADER, BODY, SECRET, tolerance_seconds=math.inf)
    assert not is_signature_valid(HEADER, BODY, SECRET, now=WHEN, tolerance_seconds=math.nan)


def test_the_clock_counts_if_no_time_is_given() -> None:
    header = sign_body(BODY, SECRET)
    result = verify_signature(header, BODY, SECRET)
    assert result.ok
    assert result.timestamp is not None
    assert abs(result.timestamp - time.time()) < 5


@given(st.binary(), st.text(min_size=1), st.integers(1, 10**11))
def test_what_is_signed_is_good_and_nothing_else(body: bytes, secret: str, when: int) -> None:
    header = sign_body(body, secret, timestamp_seconds=when)
    assert is_signature_valid(header, body, secret, now=when)
    assert not is_signature_valid(header, body + b"x", secret, now=when)
    assert not is_signature_valid(header, body, secret + "x", now=when)


@given(st.text())
def test_any_text_for_a_header_has_its_reason(header: str) -> None:
    result = verify_signature(header, BODY, SECRET, now=WHEN)
    assert not result.ok
    assert result.reason
