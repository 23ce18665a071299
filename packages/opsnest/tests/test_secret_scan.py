"""Secrets in texts are found by their shapes, and nothing else is taken for one."""

from __future__ import annotations

import json
import logging
import random
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsnest.errors import ConfigurationError
from opsnest.secret_scan import SecretScan, choice_of, mask, may_hold
from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator, Simulator

_rng = random.Random("secret shapes")
_WORD = string.ascii_letters + string.digits


def some(count: int, letters: str = _WORD) -> str:
    """Make characters by chance: no secret is written in this file."""
    return "".join(_rng.choice(letters) for _ in range(count - 1)) + "7"


HEX = "0123456789abcdef"
#: Secrets by kind, put together here from what tells them and from chance.
SECRETS: dict[str, list[str]] = {
    "GitHub token": ["gh" + "p_" + some(36), "github" + "_pat_" + some(40)],
    "GitLab token": ["gl" + "pat-" + some(20)],
    "Slack token": ["xo" + "xb-" + some(12, string.digits) + "-" + some(24)],
    "Slack webhook": ["https://hooks.slack.com/" + "services/T0AAAAAA/B0BBBBBB/" + some(24)],
    "Google API key": ["AI" + "za" + some(35)],
    "Google token": ["GOC" + "SPX-" + some(28), "ya" + "29." + some(60)],
    "Stripe key": ["sk" + "_live_" + some(24)],
    "Anthropic key": ["sk" + "-ant-" + some(40)],
    "OpenAI key": ["sk" + "-" + some(48)],
    "SendGrid key": ["SG" + "." + some(22) + "." + some(43)],
    "npm token": ["npm" + "_" + some(36)],
    "PyPI token": ["py" + "pi-" + some(60)],
    "Hugging Face token": ["hf" + "_" + some(34)],
    "DigitalOcean token": ["dop" + "_v1_" + some(64, HEX)],
    "Databricks token": ["da" + "pi" + some(32, HEX)],
    "Rootly key": ["rootly" + "_" + some(64, HEX)],
    "Owlette key": ["ow" + "k_" + some(32)],
    "webhook secret": ["wh" + "sec_" + some(32)],
    "Twilio key": ["S" + "K" + some(32, HEX)],
    "AWS access key id": ["AK" + "IA" + some(16, string.ascii_uppercase)],
    "JWT": ["ey" + "J" + some(20) + "." + some(40) + "." + some(43)],
    "private key": [
        "-----BEGIN RSA " + "PRIVATE KEY-----\n" + some(60) + "\n-----END RSA PRIVATE KEY-----"
    ],
}
#: Whole texts, the secret in them, and its kind.
IN_TEXT: list[tuple[str, str, str]] = [
    (f"postgres://app:{(word := some(12))}@db.example.com/app", word, "URL password"),
    (f"Authorization: Bearer {(word := some(32))}", word, "Authorization header"),
    (f'curl -H "Authorization: Basic {(word := some(24))}"', word, "Authorization header"),
    (f"password = {(word := some(12))}", word, "password"),
    (f'{{"password": "{(word := some(12))}"}}', word, "password"),
    (f"api_key: '{(word := some(20))}'", word, "secret"),
    (f"https://x.blob.core.windows.net/a?sig={(word := some(44))}", word, "URL signature"),
    (f"AccountName=x;AccountKey={(word := some(86))}==;", word, "Azure key"),
    (f"aws_secret_access_key = {(word := some(40))}", word, "AWS secret key"),
]
HARMLESS = [
    "",
    "Checkout is down: 503 from payments since 03:10",
    "6fd8d4a2-8f5b-4b8e-9a54-2f8f6d1f7e3a",
    "2026-07-01T03:10:00.123456-07:00",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "https://api.example.com/v1/incidents/142?page=3&sort=-created_at",
    "the password was reset, and the token expired",
    "password_changed_at: 2026-07-01",
    "component:default/checkout-api",
    "sk-lake-report, a dapi test, owk_ and npm_",
    "mailto:someone@example.com",
    "PWD=/home/app/work",
]


def rows_of(simulator: Simulator) -> list[dict[str, Any]]:
    return [row.data() for table in simulator.tables.values() for row in table]


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_by_its_shape_wherever_it_is_in_a_text(kind: str) -> None:
    for secret in SECRETS[kind]:
        for text in (secret, f"see {secret} in the log", f"key={secret}&x=1", f"({secret})"):
            masked = mask(text)
            assert secret not in masked, text
            assert f"[removed: {kind}]" in masked or "[removed: " in masked
            assert may_hold([json.dumps({"a": text}).encode()]) == [True]


@pytest.mark.parametrize(("text", "secret", "kind"), IN_TEXT, ids=[kind for *_, kind in IN_TEXT])
def test_a_secret_is_found_by_what_is_said_of_it(text: str, secret: str, kind: str) -> None:
    masked = mask(text)

    assert secret not in masked
    assert f"[removed: {kind}]" in masked
    assert may_hold([json.dumps({"a": text}).encode()]) == [True]


@pytest.mark.parametrize("blank", ["\f", "\v", "\b", "\x1c", "\t", "\r\n"], ids=repr)
@pytest.mark.parametrize("levels", [0, 1, 2], ids=lambda levels: f"{levels} times JSON")
def test_any_blank_may_stand_before_a_secret(blank: str, levels: int) -> None:
    said = [
        ("password ={blank}{word}", some(12)),
        ("api_key:{blank}'{word}'", some(20)),
        ("Authorization:{blank}Bearer{blank}{word}", some(32)),
        ("bearer{blank}{word}", some(32)),
        ("aws_secret_access_key{blank}={blank}{word}", some(40)),
        ("{blank}{word}", "AI" + "za" + some(35)),
        ("{blank}{word}", "sk" + "-ant-" + some(40)),
    ]
    for text, word in said:
        value = text.format(blank=blank, word=word)
        for _ in range(levels):
            value = json.dumps({"a": value})
        assert word not in mask(value), value
        assert may_hold([value.encode(), json.dumps(value).encode()]) == [True, True], value


def test_a_field_that_is_secret_is_masked_whole_whatever_else_is_in_it() -> None:
    rest, token = some(10), "gh" + "p_" + some(36)
    assert mask({"password": f"{rest} {token}"}) == {"password": "[removed: password]"}
    assert mask({"password": token}) == {"password": "[removed: GitHub token]"}
    assert mask({"authorization": f"Bearer {token}"}) == {
        "authorization": "Bearer [removed: GitHub token]"
    }


def test_what_is_masked_stays_as_it_is() -> None:
    masked = mask({"authorization": f"Bearer {some(40)}", "password": f"{some(10)} {some(10)}"})
    assert mask(masked) == masked
    text = f'"password":{chr(0) * 30}"{some(12)}"'
    assert mask(mask(text)) == mask(text)


def test_both_passes_agree_on_a_name_with_a_line_end() -> None:
    row = {"password\n": "a" * 12}
    assert mask(row) == row


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_alike_is_left(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "make",
    [
        lambda: RootlySimulator(incidents=120, alerts=120, alert_events=200, shifts=50),
        lambda: RoostSimulator(tests=60, events=80),
        lambda: CloudBotSimulator(executions=200),
    ],
    ids=["rootly", "roost", "cloud-bot"],
)
def test_rows_of_the_platforms_have_nothing_but_their_secrets(
    make: Callable[[], Simulator],
) -> None:
    simulator = make()
    secrets = simulator.secrets()
    for row in rows_of(simulator):
        text = json.dumps(row)
        if not any(secret in text for secret in secrets):
            assert mask(row) == row


def test_secrets_are_found_in_lists_objects_names_and_json_in_a_string() -> None:
    (token,) = SECRETS["Stripe key"]
    row = {
        "id": "1",
        "payload": {"steps": [{"env": token}, token], token: 1},
        "text": json.dumps({"inner": json.dumps({"deep": token})}),
        "labels": [{"key": "password", "value": "correct horse battery"}],
        "client_secret": "not-a-known-shape",
    }

    masked = json.dumps(mask(row))

    assert token not in masked
    assert "correct horse battery" not in masked
    assert "not-a-known-shape" not in masked


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.sampled_from([secrets[0] for secrets in SECRETS.values()]),
)
def test_masking_twice_is_masking_once_and_takes_out_what_is_hidden_anywhere(
    value: Any, secret: str
) -> None:
    hidden = {"before": value, "note": f"use {secret} now", "list": [value, {"x": [secret]}]}

    once = mask(hidden)

    assert secret not in json.dumps(once)
    assert mask(once) == once


@given(
    st.text(max_size=30) | st.sampled_from(HARMLESS),
    st.sampled_from([text for text, *_ in IN_TEXT] + [each[0] for each in SECRETS.values()]),
    st.integers(0, 2),
)
def test_what_is_looked_at_first_misses_nothing(text: str, secret: str, quoted: int) -> None:
    for _ in range(quoted):
        secret = json.dumps({"text": secret})
    row = {"text": text, "more": [{"name": "x", "here": f"{text} {secret}"}, text]}
    expected = mask(row)

    SecretScan("rootly", "incidents").all_rows([{"text": text}, row])

    assert row == expected
    assert row["more"] != [{"name": "x", "here": f"{text} {secret}"}, text]


def test_half_a_surrogate_beside_a_secret_is_no_hindrance() -> None:
    (token,) = SECRETS["Stripe key"]
    row = {"title": "\ud83d", "text": f"\ud83d {token}"}

    SecretScan("rootly", "incidents").all_rows([row])

    assert row == {"title": "\ud83d", "text": "\ud83d [removed: Stripe key]"}


@pytest.mark.parametrize(
    "text",
    [
        "password" + "\\" * 50_000,
        "password=" + "\\n" * 50_000,
        "secret " * 20_000,
        "-----BEGIN " + "PRIVATE KEY-----" * 10_000,
        "://a:" * 20_000,
        "eyJaaaaaaaaaa." * 20_000,
    ],
    ids=["backslashes", "line ends", "names", "begins", "colons", "dots"],
)
@pytest.mark.timeout(20)
def test_long_texts_take_no_time_that_grows_with_their_square(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def scanned(choice: str, rows: list[dict[str, Any]], body: bytes | None = None) -> SecretScan:
    scan = SecretScan("rootly", "incidents", choice_of(choice, "rootly"), key=("id",))
    scan.look(json.dumps(rows).encode() if body is None else body)
    scan.rows(rows)
    return scan


def test_one_warning_tells_kinds_columns_and_numbers_and_no_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (token,) = SECRETS["GitLab token"]
    rows: list[dict[str, Any]] = [
        {"id": token, "attributes": {"title": f"look: {token}", "tags": [token]}},
        {"id": "2", "attributes": {"title": "nothing"}},
    ]

    with caplog.at_level(logging.WARNING, "opsnest"):
        scan = scanned("mask", rows)
        scan.report()
        scan.report()

    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("rootly / incidents: removed 2 GitLab tokens from ")
    assert "attributes.title" in caplog.messages[0]
    assert 'secrets_in_rows = "keep"' in caplog.messages[0]
    assert token not in caplog.text
    assert rows[0]["attributes"]["title"] == "look: [removed: GitLab token]"
    assert rows[0]["id"] == token  # a key stays: without it rows would become one


def test_warn_leaves_rows_as_they_are_and_keep_says_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (token,) = SECRETS["GitLab token"]
    for choice, warnings in (("warn", 1), ("keep", 0)):
        caplog.clear()
        rows = [{"id": "1", "title": token}]
        with caplog.at_level(logging.WARNING, "opsnest"):
            scanned(choice, rows).report()
        assert rows == [{"id": "1", "title": token}]
        assert len(caplog.messages) == warnings


def test_rows_are_not_looked_at_while_answers_are_clean() -> None:
    (token,) = SECRETS["GitLab token"]
    rows = [{"id": "1", "title": token}]

    scanned("mask", rows, body=b'{"data": []}')

    assert rows[0]["title"] == token


def test_escapes_hide_nothing() -> None:
    (token,) = SECRETS["Stripe key"]
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in token)
    body = f'{{"data": [{{"id": "1", "title": "{escaped}"}}]}}'.encode()

    assert may_hold([body]) == [True]
    assert token not in json.dumps(mask(json.loads(body)))


def test_a_choice_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match="'mask' to remove them"):
        choice_of("drop", "rootly_incident_management_source")
