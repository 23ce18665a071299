"""Credentials, closing and the seam: what must not happen."""

from __future__ import annotations

import ast
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from packages.restarrow.tests.scripted_server import Asked, queued, reply, scripted

import restarrow.http
from restarrow.errors import (
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    FetchError,
    ForeignOriginError,
    StatusError,
)
from restarrow.http import ApiKeyAuth, BearerAuth, Client, RetryPolicy, WireOptions
from restarrow.types import Request

_QUICK = RetryPolicy(attempts=3, limited_attempts=3, first_wait=0.01, max_wait=5)
_ITEMS = Request("GET", "/items", {"page": 2})
_IN_PATH = "/bots/s3cret.two/list"


def _client(url: str, **settings: Any) -> Client:
    settings.setdefault("retry", _QUICK)
    return Client(url, **settings)


# -- credentials go to the API alone


def test_the_url_of_a_next_page_is_followed_within_the_api() -> None:
    with scripted(queued(reply([]))) as server, _client(f"{server.url}/v1") as client:
        client.fetch(Request("GET", f"{server.url}/v1/items?page%5Bafter%5D=a%2Bb=="))
        assert server.asked[0].target == "/v1/items?page%5Bafter%5D=a%2Bb=="


def test_other_origins_are_refused_unless_allowed() -> None:
    with scripted(queued(reply([]))) as other, scripted(queued(reply([]))) as server:
        foreign = Request("GET", f"{other.url}/items?token=s3cret")
        with _client(server.url, auth=BearerAuth("t0ken")) as client:
            with pytest.raises(ForeignOriginError, match="allowed_origins") as caught:
                client.fetch(foreign, 2)
            assert other.url in str(caught.value)
            assert "s3cret" not in str(caught.value)
        assert other.asked == server.asked == []
        with _client(server.url, auth=BearerAuth("t0ken"), allowed_origins=[other.url]) as client:
            client.fetch(foreign)
        assert other.asked[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_within_the_api_are_followed_as_by_requests(status: int, method: str) -> None:
    def answer(asked: Asked) -> bytes:
        if asked.path == "/old":
            return reply(b"", status, {"Location": "/new?page=2&x=a+b"})
        return reply([])

    with scripted(answer) as server:
        body: dict[str, Any] = {"json": {"a": 1}} if method == "POST" else {}
        with _client(server.url, auth=BearerAuth("t0ken")) as client:
            page = client.fetch(Request(method, "/old", {"page": 1}, **body))
        assert page.url == f"{server.url}/new"
        requests.request(method, f"{server.url}/old", params={"page": 1}, timeout=5, **body)
        _, ours, _, theirs = server.asked
        assert (ours.method, ours.target, ours.body) == (theirs.method, theirs.target, theirs.body)
        assert ours.headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    "scheme", ["http://127.0.0.1:1/x", "//127.0.0.1:1/x", "ftp://h/x", "https:"]
)
def test_redirects_elsewhere_are_refused(scheme: str) -> None:
    answer = reply(b"", 302, {"Location": scheme})
    with (
        scripted(queued(answer)) as server,
        _client(server.url, auth=BearerAuth("t0ken")) as client,
    ):
        with pytest.raises(ForeignOriginError, match=r"redirects \(302\)"):
            client.fetch(_ITEMS)
        assert len(server.asked) == 1


def test_redirects_without_end() -> None:
    with (
        scripted(queued(reply(b"", 302, {"Location": "/items"}))) as server,
        _client(server.url) as client,
    ):
        with pytest.raises(StatusError, match="more than 5 times"):
            client.fetch(_ITEMS)
        assert len(server.asked) == 6


def test_netrc_and_proxies_do_not_replace_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with scripted(queued(reply([]))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://puser:ppass@"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with _client("http://api.example.com", auth=BearerAuth("t0ken")) as client:
            client.fetch(_ITEMS)
        with _client("http://api.example.com") as client:
            client.fetch(_ITEMS)
        first, second = proxy.asked
        assert first.target == "http://api.example.com/items?page=2"
        assert first.headers["authorization"] == "Bearer t0ken"
        assert "authorization" not in second.headers
        assert first.headers["proxy-authorization"].startswith("Basic ")
        with scripted(queued(reply([]))) as server, _client(server.url) as client:
            client.fetch(_ITEMS)  # past the proxy, as no_proxy says
            assert "proxy-authorization" not in server.asked[0].headers


def test_a_proxy_that_cannot_be_used_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://puser:ppass@proxy:1")
    with (
        _client("http://api.example.com") as client,
        pytest.raises(ConfigurationError, match="proxy") as caught,
    ):
        client.fetch(_ITEMS)
    assert "ppass" not in str(caught.value)


def test_certificates_of_the_environment_are_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        Client("https://api.example.com")
    Client("https://api.example.com", options=WireOptions(trust_env=False)).close()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    Client("https://api.example.com").close()


def test_nothing_that_is_said_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = ApiKeyAuth("s3cret/key", name="key", location="query")

    def answer(asked: Asked) -> bytes:
        if asked.path == "/echo":
            told = {"X-Echo": asked.target.partition("key=")[2], "Set-Cookie": "session=abc"}
            secrets = f"{asked.target.partition('key=')[2]} {asked.headers}"
            return reply(f"no: {secrets}".encode(), 404, told)
        return b"" if asked.path == "/cut" else reply([])

    said: list[str] = []
    with (
        scripted(answer) as server,
        _client(server.url, auth=auth, headers={"X-Api-Token": "Token s3cret.two"}) as client,
    ):
        said.append(repr(client.fetch(Request("GET", "/items"))))
        client.fetch(Request("GET", _IN_PATH))
        for path in ("/echo", "/cut"):
            with pytest.raises(FetchError) as caught:
                client.fetch(Request("GET", path, {"user": "pii"}))
            error = caught.value
            said += [str(error), repr(error.__dict__), repr(client)]
            said += [repr(each) for each in (error.__cause__, error.__context__)]
        assert "key=s3cret%2Fkey" in server.asked[0].target
    # what a server tells of a request is in httpcore's log of its answer, at the level DEBUG
    log = "\n".join(
        line for line in caplog.text.splitlines() if "receive_response_headers" not in line
    )
    assert "HTTP Request" in log  # httpx's own log is among what is looked at
    ours = "".join(line for line in log.splitlines() if "restarrow.http" in line)
    for text in [*said, log]:
        assert "s3cret" not in text.replace(_IN_PATH, "")
        assert "session=abc" not in text
    assert "pii" not in "".join(said) + ours
    assert _IN_PATH not in ours


def test_the_credentials_are_refused() -> None:
    with (
        scripted(queued(reply({"error": "who?"}, 401))) as server,
        _client(server.url, auth=BearerAuth("t0ken")) as client,
    ):
        with pytest.raises(AuthenticationError, match="check the token or key"):
            client.fetch(_ITEMS)
        assert len(server.asked) == 1


# -- closing


def _ended_by_close(client: Client, after: float = 0.2) -> tuple[BaseException | None, float]:
    """Fetch in a thread, close the client meanwhile, and return what the thread ended with."""
    caught: list[BaseException] = []

    def work() -> None:
        try:
            client.fetch(_ITEMS)
        except FetchError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(after)
    began = time.monotonic()
    client.close()
    thread.join(10)
    assert not thread.is_alive()
    return (caught[0] if caught else None), time.monotonic() - began


@pytest.mark.parametrize("status", [429, 503])
def test_closing_ends_a_wait(status: int) -> None:
    with scripted(queued(reply({}, status, {"Retry-After": "60"}))) as server:
        error, took = _ended_by_close(Client(server.url))
    assert isinstance(error, ClosedError)
    assert took < 1


def test_closing_ends_a_read() -> None:
    gate = threading.Event()

    def answer(_asked: Asked) -> bytes:
        gate.wait(10)
        return reply([])

    with scripted(answer) as server:
        error, took = _ended_by_close(Client(server.url))
        gate.set()
    assert isinstance(error, ClosedError)
    assert took < 1


def test_a_closed_client_fetches_nothing() -> None:
    with scripted(queued(reply([]))) as server:
        client = Client(server.url)
        client.close()
        client.close()
        with pytest.raises(ClosedError):
            client.fetch(_ITEMS)
        assert server.asked == []


def test_ctrl_c_during_a_wait_leaves_at_once() -> None:
    script = """
        import sys
        from restarrow.http import Client
        from restarrow.types import Request
        try:
            with Client(sys.argv[1]) as client:
                client.fetch(Request("GET", "/items"))
        except KeyboardInterrupt:
            print("interrupted")
    """
    answered = threading.Event()

    def answer(_asked: Asked) -> bytes:
        answered.set()
        return reply({}, 503, {"Retry-After": "60"})

    with (
        scripted(answer) as server,
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), server.url],
            stdout=subprocess.PIPE,
            env={**os.environ},
            text=True,
        ) as process,
    ):
        assert answered.wait(20)
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
        assert time.monotonic() - began < 2
        assert out == "interrupted\n"


# -- one seam


def test_one_module_knows_httpx() -> None:
    assert restarrow.http.__file__ is not None
    folder = Path(restarrow.http.__file__).parent
    knowing = [each.name for each in folder.parent.rglob("*.py") if "httpx" in _imports(each)]
    assert knowing == ["wire.py"]


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}
