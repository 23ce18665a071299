"""HTTP for reading APIs: patient, paced, bounded, and careful with credentials."""

from __future__ import annotations

from restarrow.http.auth import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    Login,
    LoginAuth,
    OAuth2Auth,
    control_room_auth,
)
from restarrow.http.body import decode_json
from restarrow.http.client import Client, Counts
from restarrow.http.governor import Governor
from restarrow.http.retry import RetryPolicy
from restarrow.http.wire import WireOptions

__all__ = [
    "ApiKeyAuth",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "Client",
    "Counts",
    "Governor",
    "Login",
    "LoginAuth",
    "OAuth2Auth",
    "RetryPolicy",
    "WireOptions",
    "control_room_auth",
    "decode_json",
]
