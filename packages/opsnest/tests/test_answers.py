"""What is made of answers: those of the three platforms, and those of whatever is in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import pytest
import requests

from opsnest.answers import check_answer, checker, keep_json, what_it_said
from opsnest.errors import AccessError, AnswerError, SourceError
from opsnest.events import PageRead, listening
from opsnest.http import ApiSession, Patience
from opsnest.sources.rootly import ADVICE as ROOTLY_ADVICE
from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator
from opssim.core.faults import Fault
from opssim.core.server import Running, serve

PATH = "/api/test/event"

CLOUDFLARE = b"""<!DOCTYPE html>
<html><head>
<title>Access denied | api.rootly.com used Cloudflare
   to restrict access</title></head>
<body><h1>Error 1010</h1></body></html>"""

Get = Callable[[Fault], requests.Response]


@pytest.fixture(scope="module")
def server() -> Iterator[Running[RoostSimulator]]:
    with serve(RoostSimulator(tests=1, events=1)) as running:
        yield running


@pytest.fixture
def get(server: Running[RoostSimulator]) -> Iterator[Get]:
    """Get an answer that was made up, over HTTP."""
    session = ApiSession(
        server.url, source="roost_source", patience=Patience(attempts=1, sleep=lambda _: None)
    )

    def get(fault: Fault) -> requests.Response:
        server.simulator.faults.clear()
        server.simulator.faults.add(fault)
        return session.get(server.url + PATH, params={"token": "hunter2"})

    with session:
        yield get


def error_of(
    response: requests.Response, advice: Mapping[int, str] | None = None, resource: str = "events"
) -> SourceError:
    with pytest.raises(SourceError) as caught:
        check_answer(response, source="roost_source", resource=resource, advice=advice or {})
    assert "hunter2" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("levels", [101, 100_000])
def test_an_answer_that_is_nested_too_deeply_is_refused(get: Get, levels: int) -> None:
    response = get(Fault(status=200, body=b"[" * levels + b"]" * levels))

    error = error_of(response)

    assert isinstance(error, AnswerError)
    assert (
        error.problem
        == f"the answer is nested {levels:,} levels deep, and no row has more than 100"
    )
    assert error.path == PATH


def test_an_answer_as_deep_as_may_be_is_taken(get: Get) -> None:
    response = get(Fault(status=200, body=b"[" * 100 + b"]" * 100))

    check_answer(response, source="roost_source", resource="events", advice={})

    assert response.json() != []


class TestErrorBodies:
    @pytest.mark.parametrize(
        ("body", "message", "code"),
        [
            pytest.param(
                {"errors": [{"title": "Not found", "status": "404", "code": None, "detail": None}]},
                "Not found",
                None,
                id="rootly",
            ),
            pytest.param(
                {"errors": [{"title": "Invalid", "detail": "page[size] > 100", "code": "x1"}, {}]},
                "Invalid: page[size] > 100",
                "x1",
                id="rootly with detail and code",
            ),
            pytest.param({"error": "Slow down."}, "Slow down.", None, id="rootly 429"),
            pytest.param(
                {"code": 401, "path": "/test/event", "method": "GET", "message": "Unauthorized"},
                "Unauthorized",
                "401",
                id="roost",
            ),
            pytest.param(
                {"message": ["a must be set", "b must be set"], "code": 400},
                "['a must be set', 'b must be set']",
                "400",
                id="roost with several messages",
            ),
            pytest.param(
                {"code": "um.credentials.invalid", "message": "Invalid.", "details": "user x"},
                "Invalid.: user x",
                "um.credentials.invalid",
                id="control room",
            ),
            pytest.param({"message": None, "code": 0}, None, "0", id="without a message"),
            pytest.param({"errors": []}, '{"errors": []}', None, id="no error in errors"),
            pytest.param({"errors": ["x"]}, '{"errors": ["x"]}', None, id="errors as text"),
            pytest.param({"error": {"a": 1}}, '{"error": {"a": 1}}', None, id="error as object"),
            pytest.param([1, 2], "[1, 2]", None, id="list"),
            pytest.param("no", '"no"', None, id="string"),
            pytest.param(None, "null", None, id="null"),
        ],
    )
    def test_json(self, get: Get, body: object, message: str | None, code: str | None) -> None:
        response = get(Fault(status=422, body=json.dumps(body).encode()))

        assert what_it_said(response) == (message, code)

    @pytest.mark.parametrize("levels", [500, 100_000])
    def test_nested_too_deeply(self, get: Get, levels: int) -> None:
        response = get(
            Fault(status=422, body=b'{"message":' + b"[" * levels + b"]" * levels + b"}")
        )

        said = what_it_said(response)

        assert said.message is not None
        assert said.message.startswith('{"message":[[[')

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (
                CLOUDFLARE,
                "Access denied | api.rootly.com used Cloudflare to restrict access",
            ),
            (b"<TITLE lang=en>502 Bad Gateway</TITLE>", "502 Bad Gateway"),
            (b"<html>no title</html>", "<html>no title</html>"),
            (b"upstream  connect\nerror", "upstream connect error"),
            (b'{"message": "cut', '{"message": "cut'),
            (b"\xff\xfe", "\ufffd\ufffd"),
            (b"  ", None),
            (b"", None),
        ],
    )
    def test_anything_else(self, get: Get, body: bytes, message: str | None) -> None:
        assert what_it_said(get(Fault(status=400, body=body))) == (message, None)

    @pytest.mark.parametrize(
        "body",
        [
            b"x" * 3_000_000,
            b"<title>" + b"x" * 3_000_000,
            b"<title>" * 30_000,
            json.dumps({"message": "x" * 3_000_000, "code": "y" * 3_000_000}).encode(),
            json.dumps({"errors": [{"title": "x" * 9999, "detail": "y" * 9999}]}).encode(),
            json.dumps([["x" * 9999] * 99]).encode(),
        ],
    )
    def test_long_ones_are_quoted_shortly(self, get: Get, body: bytes) -> None:
        error = error_of(get(Fault(status=400, body=body)))

        assert len(str(error)) < 600
        assert "\u2026" in str(error)
        assert len(str(error).splitlines()) == 3


class TestKinds:
    @pytest.mark.parametrize(
        ("status", "kind", "problem", "advice"),
        [
            (400, AnswerError, "refused the request", "please report it"),
            (401, AccessError, "credentials were not accepted", "Check the credentials"),
            (403, AccessError, "may not read this", "Ask for the permission"),
            (404, AnswerError, "refused the request", "Check the address"),
            (409, AnswerError, "refused the request", "please report it"),
            (500, AnswerError, "the API failed", "Run it again later"),
            (304, AnswerError, "refused the request", "address it redirects to"),
        ],
    )
    def test_by_status(
        self, get: Get, status: int, kind: type[SourceError], problem: str, advice: str
    ) -> None:
        error = error_of(get(Fault(status=status)))

        assert type(error) is kind
        assert problem in error.problem
        assert advice in error.advice
        assert (error.status, error.method, error.path) == (status, "GET", PATH)

    def test_advice_of_the_source_comes_first(self, get: Get) -> None:
        error = error_of(get(Fault(status=401)), advice={401: "Make a new token."})

        assert error.advice == "Make a new token."

    def test_404_is_no_access_where_the_source_says_so(self, get: Get) -> None:
        error = error_of(get(Fault(status=404)), advice=ROOTLY_ADVICE)

        assert isinstance(error, AccessError)
        assert "Team key cannot read incidents" in error.advice

    def test_the_whole_message(self, get: Get) -> None:
        body = b'{"message": "Unauthorized", "code": 401}'

        assert str(error_of(get(Fault(status=401, body=body)))) == (
            "roost_source / events: the credentials were not accepted\n"
            '  GET /api/test/event -> 401 "Unauthorized" (code 401)\n'
            "  Check the credentials in .dlt/secrets.toml; they may have expired."
        )


class TestRedirects:
    @pytest.mark.parametrize(
        ("location", "told"),
        [
            ("https://login.test/sso?token=hunter2#hunter2", "https://login.test/sso"),
            ("https://me:hunter2@login.test/sso", "https://login.test/sso"),
            ("//me:hunter2@login.test/sso", "//login.test/sso"),
            ("/login?key=hunter2", "/login"),
            ("/login/https://me:hunter2@x/", "/login/https://x/"),
            ("http://[hunter2", "what is no address"),
            ("", "nowhere"),
        ],
    )
    def test_where_to_is_told_without_secrets(self, get: Get, location: str, told: str) -> None:
        error = error_of(get(Fault(status=302, headers={"Location": location})))

        assert isinstance(error, AnswerError)
        assert (error.message or "").removesuffix(told) in {"redirects to ", "redirects to :"}

    def test_even_without_a_location(self, get: Get) -> None:
        assert error_of(get(Fault(status=302))).message == "redirects to nowhere"


class TestGoodAnswers:
    @pytest.mark.parametrize(
        ("body", "media_type", "told"),
        [
            (CLOUDFLARE, "text/html", "is not JSON (text/html; charset=utf-8, "),
            (b'{"data": [{"id": 1', "application/json", "is not JSON (application/json, 18 bytes)"),
            (b"1" * 5000, "application/json", "5000 bytes): a number has thousands of digits"),
            (b"pong", "text/plain", '"pong"'),
        ],
    )
    def test_200_without_json_is_none(
        self, get: Get, body: bytes, media_type: str, told: str
    ) -> None:
        error = error_of(get(Fault(status=200, body=body, media_type=media_type)))

        assert isinstance(error, AnswerError)
        assert told in str(error)
        assert "proxy" in error.advice

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_json_is_decoded_once(self, get: Get, status: int) -> None:
        response = get(Fault(status=status, body=b'{"data": [1]}'))

        check_answer(response, source="roost_source", resource="events", advice={})

        assert response.json() == {"data": [1]}
        assert response.json() is response.json(parse_float=str)

    @pytest.mark.parametrize("status", [200, 204])
    def test_an_empty_body_is_fine(self, get: Get, status: int) -> None:
        checker("roost_source", "events", {})(get(Fault(status=status)))

    @pytest.mark.parametrize("body", [b'{"rows": []}', b"[]", b"null", b""])
    def test_json_of_another_shape_is_no_answer_of_this_api(self, get: Get, body: bytes) -> None:
        response = get(Fault(status=200, body=body))

        with pytest.raises(AnswerError, match="the answer has no `data`"):
            checker("roost_source", "events", {}, holds=("data", "list"))(response)

    @pytest.mark.parametrize("body", [b'{"data": []}', b'{"list": null}'])
    def test_one_of_the_shapes_is_enough(self, get: Get, body: bytes) -> None:
        response = get(Fault(status=200, body=body))

        checker("roost_source", "events", {}, holds=("data", "list"))(response)

    def test_another_payload_can_be_put_in_its_place(self, get: Get) -> None:
        response = get(Fault(status=200, body=b"done"))

        keep_json(response, {"status": "done"})

        assert response.json() == {"status": "done"}

    def test_each_is_published_refused_ones_too(self, get: Get) -> None:
        seen: list[PageRead] = []
        with listening(seen.append):
            checker("roost_source", "events", {})(get(Fault(status=200, body=b'{"data": []}')))
            error_of(get(Fault(status=403, body=b"no")))

        assert [(page.source, page.resource, page.bytes) for page in seen] == [
            ("roost_source", "events", 12),
            ("roost_source", "events", 2),
        ]
        assert all(page.seconds > 0 for page in seen)


class TestRealAnswers:
    """The errors that the platforms themselves send."""

    def test_rootly(self) -> None:
        with serve(RootlySimulator(incidents=1, alerts=1, users=1, services=1)) as rootly:
            response = requests.get(f"{rootly.url}/v1/incidents", timeout=5)

        error = error_of(response, advice=ROOTLY_ADVICE)
        assert isinstance(error, AccessError)
        assert error.message

    def test_roost(self, server: Running[RoostSimulator]) -> None:
        server.simulator.faults.clear()
        error = error_of(requests.get(server.url + PATH, timeout=5))

        assert (error.message, error.code) == ("Unauthorized", "401")

    def test_control_room(self) -> None:
        with serve(CloudBotSimulator(executions=1, bots=1, users=1, devices=1)) as control_room:
            response = requests.post(
                f"{control_room.url}/v1/authentication",
                json={"username": "x", "apiKey": "hunter2"},
                timeout=5,
            )

        error = error_of(response)
        assert isinstance(error, AccessError)
        assert (error.method, error.code) == ("POST", "um.credentials.invalid")
