"""Where requests and credentials go, where they never do, and what goes with them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator
from requests.adapters import BaseAdapter

from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opssim import RoostSimulator
from opssim.core.faults import Fault
from opssim.core.server import Running, serve

EVENTS = "/api/test/event"
Open = Callable[..., ApiSession]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Running[RoostSimulator]]:
    with serve(RoostSimulator(tests=1, events=3)) as running:
        yield running


@pytest.fixture
def server(shared_server: Running[RoostSimulator]) -> Running[RoostSimulator]:
    shared_server.simulator.faults.clear()
    shared_server.simulator.requests.clear()
    return shared_server


@pytest.fixture
def open_session(server: Running[RoostSimulator]) -> Iterator[Open]:
    opened: list[ApiSession] = []

    def open_one(url: str = server.url) -> ApiSession:
        session = ApiSession(url, source="roost_source")
        session.headers["Authorization"] = f"Bearer {token_of(server)}"
        opened.append(session)
        return session

    yield open_one
    for session in opened:
        session.close()


def token_of(server: Running[RoostSimulator]) -> str:
    return server.configuration["SOURCES__ROOST_SOURCE__TOKEN"]


class Scripted(BaseAdapter):
    """Answer without a network, for hosts that cannot be had on loopback."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> Any:
        self.asked.append(request)
        response = requests.Response()
        response.status_code = 200
        response.request = request
        return response

    def close(self) -> None:
        pass


def scripted(session: ApiSession) -> Scripted:
    adapter = Scripted()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return adapter


class TestOrigin:
    @pytest.mark.parametrize(
        ("base", "asked"),
        [
            ("http://api.example.com/v1", "http://api.example.com/other"),
            ("http://API.Example.COM/v1", "http://api.example.com/v1/users"),
            ("http://api.example.com", "HTTP://API.EXAMPLE.COM/v1"),
            ("http://api.example.com", "http://api.example.com:80/v1"),
            ("https://api.example.com:443", "https://api.example.com/v1"),
            ("http://b\u00fccher.example", "http://b\u00fccher.example/v1"),
            ("http://b\u00fccher.example", "http://xn--bcher-kva.example/v1"),
            ("http://someone@api.example.com", "http://api.example.com/v1"),
            ("http://[::1]:8000", "http://[::1]:8000/v1"),
        ],
    )
    def test_spellings_of_the_same(self, open_session: Open, base: str, asked: str) -> None:
        session = open_session(base)
        adapter = scripted(session)

        assert session.get(asked).status_code == 200
        assert len(adapter.asked) == 1

    @pytest.mark.parametrize(
        "asked",
        [
            "https://api.example.com/v1",
            "http://api.example.com:8080/v1",
            "http://api.example.com:443/v1",
            "http://api.example.com.evil.test/v1",
            "http://evil.test/api.example.com",
            "http://api.example.com@evil.test/v1",
            "http://api.example.com:80@evil.test/v1",
            "http://evil.test\\@api.example.com/v1",
            "http://evil.test#@api.example.com/v1",
            "http://evil.test?@api.example.com/v1",
            "//evil.test/v1",
        ],
    )
    def test_others_are_not_asked(self, open_session: Open, asked: str) -> None:
        session = open_session("http://api.example.com")
        adapter = scripted(session)

        with pytest.raises((ConfigurationError, requests.exceptions.MissingSchema)):
            session.get(asked)

        assert adapter.asked == []

    def test_the_message_names_both(self, open_session: Open) -> None:
        with pytest.raises(ConfigurationError) as caught:
            open_session("https://api.example.com").get("https://me:hunter2@evil.test/x?key=k1")

        assert "another host (https://evil.test)" in str(caught.value)
        assert "credentials for https://api.example.com must not go there" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert "k1" not in str(caught.value)

    @pytest.mark.parametrize(
        "base",
        [
            "",
            "api.example.com",
            "localhost:8000",
            "ftp://api.example.com",
            "http://",
            "http://[",
            "http://api example.com",
            "http://*.example.com",
            "http://api.example.com:99999",
            "http://me:hunter2@",
            "htp://me:hunter2@api.example.com/?key=hunter2",
        ],
    )
    def test_what_is_no_address(self, base: str) -> None:
        with pytest.raises(ConfigurationError, match="is not an address") as caught:
            ApiSession(base, source="roost_source")

        assert "hunter2" not in str(caught.value)

    def test_redirects_are_not_followed(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        with serve(RoostSimulator(tests=1, events=1)) as other:
            server.simulator.faults.add(Fault(status=302, headers={"Location": other.url + EVENTS}))

            assert open_session().get(server.url + EVENTS).status_code == 302
            assert other.simulator.requests.all() == []

    @pytest.mark.parametrize("location", ["http://[", "http://x:99999/", "ftp://x", "", "\u00ff"])
    def test_where_a_redirect_goes_is_not_even_looked_at(
        self, server: Running[RoostSimulator], open_session: Open, location: str
    ) -> None:
        server.simulator.faults.add(Fault(status=307, headers={"Location": location}))

        assert open_session().get(server.url + EVENTS).status_code == 307

    def test_a_next_page_on_another_host_is_not_asked_for(
        self, server: Running[RoostSimulator], open_session: Open
    ) -> None:
        with serve(RoostSimulator(tests=1, events=1)) as other:
            page = f'{{"data": [1], "next": "{other.url}{EVENTS}"}}'
            server.simulator.faults.add(Fault(status=200, body=page.encode()))
            client = RESTClient(
                server.url,
                auth=BearerTokenAuth(token_of(server)),
                session=open_session(),
                paginator=JSONLinkPaginator(next_url_path="next"),
                data_selector="data",
            )
            pages = client.paginate(EVENTS)

            assert next(pages) == [1]
            with pytest.raises(ConfigurationError, match="another host"):
                next(pages)
            assert other.simulator.requests.all() == []


class TestCredentials:
    def test_netrc_does_not_replace_the_token(
        self,
        server: Running[RoostSimulator],
        open_session: Open,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("default login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))

        session = open_session()
        assert session.get(server.url + EVENTS).status_code == 200
        del session.headers["Authorization"]
        assert session.get(server.url + EVENTS).status_code == 401
        client = RESTClient(server.url, auth=BearerTokenAuth(token_of(server)), session=session)
        assert client.get(EVENTS).status_code == 200


class TestWhatIsSent:
    def test_user_agent(self, server: Running[RoostSimulator], open_session: Open) -> None:
        open_session().get(server.url + EVENTS)

        assert server.simulator.requests.all()[0].headers["user-agent"].startswith("opsnest/0.")

    def test_a_copy_of_a_session_is_the_session(self, open_session: Open) -> None:
        session = open_session()

        assert copy.deepcopy({"session": session})["session"] is session


class TestEncoding:
    @pytest.mark.parametrize(
        ("media_type", "encoding"),
        [
            ("application/vnd.api+json", "utf-8"),
            ("application/json; charset=latin-1", "latin-1"),
        ],
    )
    def test_json_is_utf_8_unless_it_says_otherwise(
        self,
        server: Running[RoostSimulator],
        open_session: Open,
        media_type: str,
        encoding: str,
    ) -> None:
        body = '{"name": "Z\u00fcrich"}'.encode(encoding)
        server.simulator.faults.add(Fault(status=200, body=body, media_type=media_type))

        assert open_session().get(server.url + EVENTS).json() == {"name": "Z\u00fcrich"}
