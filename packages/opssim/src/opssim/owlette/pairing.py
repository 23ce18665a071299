"""Pairing: how the command line of Owlette gets a key from somebody who is signed in."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta, to_builtins

from opssim.core.store import JsonObject
from opssim.owlette.accounts import Days, Scope, see_session
from opssim.owlette.credentials import make_key, millis
from opssim.owlette.endpoint import Answer, Body, Call, Endpoint, Nothing
from opssim.owlette.problems import Problem, conflict, not_found

_PLACE: Final = "pairings"
_MINUTES: Final = 10
_INTERVAL_S: Final = 5
_WORDS: Final = ("amber", "barn", "cedar", "dusk", "ember", "fern", "gable", "hollow")


class Approval(Body):
    """Which pairing is approved, and the key that it gets."""

    code: str
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    ttl_days: Days = 90
    environment: Literal["live", "test"] = "live"


class Poll(Body):
    """Which pairing is waited for."""

    device_code: str


def start(call: Call) -> Answer:
    """Begin a pairing: a phrase for a person, a code for the command line."""
    device_code = secrets.token_urlsafe(24)
    phrase = "-".join(secrets.choice(_WORDS) for _ in range(3)) + f"-{secrets.randbelow(10_000):04}"
    pairing: JsonObject = {
        "phrase": phrase,
        "until": millis(call.world.now() + timedelta(minutes=_MINUTES)),
        "key": None,
    }
    call.world.database.put(_PLACE, device_code, pairing)
    return Answer(
        {
            "pairPhrase": phrase,
            "deviceCode": device_code,
            "verificationUri": "https://owlette.app/pair",
            "pairingUrl": f"https://owlette.app/pair?code={phrase}",
            "expiresIn": _MINUTES * 60,
            "interval": _INTERVAL_S,
        }
    )


def approve(call: Call) -> Answer:
    """Make a key for a pairing, which the command line then gets once."""
    see_session(call)
    body: Approval = call.body
    database = call.world.database
    found = next((each for each in database.items(_PLACE) if each[1]["phrase"] == body.code), None)
    if found is None:
        raise not_found("pairing")
    device_code, pairing = found
    _see_time(call, pairing)
    if pairing["key"] is not None:
        raise conflict("this pairing was approved already")
    made = make_key(
        database,
        call.caller.uid,
        name=body.name,
        scopes=to_builtins(body.scopes),
        now=call.world.now(),
        days=body.ttl_days,
        environment=body.environment,
    )
    key = made.document
    pairing["key"] = {
        "apiKey": made.text,
        "keyId": key["id"],
        **{name: key[name] for name in ("name", "scopes", "environment", "expiresAt")},
        "siteId": next(iter(call.caller.user["sites"]), None),
    }
    database.put(_PLACE, device_code, pairing)
    return Answer({"success": True, "keyId": key["id"], "keyPrefix": key["keyPrefix"]})


def poll(call: Call) -> Answer:
    """Return the key of a pairing once it was approved, and forget it."""
    pairing = call.world.database.get(_PLACE, call.body.device_code)
    if pairing is None:
        raise not_found("pairing")
    _see_time(call, pairing)
    if pairing["key"] is None:
        return Answer({"status": "pending"}, 202)
    call.world.database.delete(_PLACE, call.body.device_code)
    return Answer(pairing["key"])


def _see_time(call: Call, pairing: JsonObject) -> None:
    if pairing["until"] <= millis(call.world.now()):
        raise Problem(410, "not_found", "this pairing has expired: begin anew")


_BASE: Final = "/api/cli/device-code"

ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=_BASE,
        handler=start,
        does="Begin a pairing",
        is_open=True,
        body=Nothing,
    ),
    Endpoint(
        method="POST",
        path=f"{_BASE}/authorize",
        handler=approve,
        does="Approve a pairing",
        body=Approval,
        refuses=(404, 409, 410),
    ),
    Endpoint(
        method="POST",
        path=f"{_BASE}/poll",
        handler=poll,
        does="Get the key of a pairing",
        is_open=True,
        body=Poll,
        answers=(200, 202),
        refuses=(404, 410),
    ),
)
