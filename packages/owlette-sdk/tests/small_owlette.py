"""As much of Owlette as pushes and pulls need, over real HTTP: the API, and a storage of its own.

Written from the API's contract with nothing but the standard library, and with none of the SDK.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "owk_test_of_the_push"
SITE = "site-1"


@dataclass
class Request:
    """What came: `kind` is `head`, `check`, `mint`, `publish`, `version`, `put` or `get`."""

    kind: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What goes back. `drops` closes the connection instead."""

    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content: bytes | None = None
    drops: bool = False


#: Answers in the place of the server, or does something before it does: then it returns None.
Fault = Callable[[Request], "Reply | None"]


@dataclass
class RoostState:
    head: str | None = None
    previous: str | None = None
    counter: int = 0
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    versions: dict[str, dict[str, Any]] = field(default_factory=dict[str, Any])


class SmallOwlette:
    """Attributes are its state; `asked` is what came, in order."""

    def __init__(self) -> None:
        self.chunks: dict[str, bytes] = {}
        self.roosts: dict[str, RoostState] = {}
        self.asked: list[Request] = []
        self.faults: list[Fault] = []
        #: what is answered, in turn, to requests of other paths: the last as often as need be
        self.others: dict[str, list[Reply]] = {}
        self.life_s = 3600.0
        self.storage_url = ""
        self.url = ""
        self.leaks: list[str] = []
        self.open_connections = 0
        self.lock = threading.RLock()
        self._answers: dict[str, tuple[bytes, Reply]] = {}

    def kinds(self) -> list[str]:
        return [each.kind for each in self.asked]

    def is_left(self) -> bool:
        """Tell whether nobody is connected any more, before long."""
        end = time.monotonic() + 5
        while self.open_connections and time.monotonic() < end:
            time.sleep(0.01)
        return not self.open_connections

    def head(self, roost_id: str) -> dict[str, Any]:
        state = self.roosts[roost_id]
        assert state.head is not None
        return state.versions[state.head]

    def files(self, roost_id: str) -> dict[str, bytes]:
        """The files of the current version, put together."""
        manifest = self.head(roost_id)["version"]
        made = {
            file["path"]: b"".join(self.chunks[chunk["hash"]] for chunk in file["chunks"])
            for file in manifest["files"]
        }
        assert [len(made[each["path"]]) for each in manifest["files"]] == [
            each["size"] for each in manifest["files"]
        ]
        return made

    # ---- answers

    def answer(self, request: Request) -> Reply:
        with self.lock:
            self.asked.append(request)
        for fault in [*self.faults]:
            if (reply := fault(request)) is not None:
                return reply
        if request.kind in {"put", "get"}:
            return self._storage(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(401, "unauthorized")
        with self.lock:
            answers: dict[str, Callable[[Request], Reply]] = {
                "check": self._check,
                "mint": self._mint,
                "head": self._head,
                "version": self._version,
                "publish": self._publish,
            }
            return answers[request.kind](request)

    def other(self, request: Request) -> Reply:
        self.asked.append(request)
        waiting = self.others.get(request.path)
        if not waiting:
            return refusal(404, "not_found")
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def _storage(self, request: Request) -> Reply:
        names = {"authorization", "roost-version", "idempotency-key", "x-api-key"}
        if leaked := names & set(request.headers):
            self.leaks.extend(leaked)
            return Reply(400, content=b"only one auth mechanism allowed")
        if float(request.query["exp"]) < time.time():
            return Reply(403, content=b"expired")
        digest = request.path.rpartition("/")[2]
        if request.kind == "put":
            self.chunks[digest] = request.body
            return Reply(200, content=b"", headers={"ETag": '"x"'})
        if digest not in self.chunks:
            return Reply(404, content=b"no such key")
        return Reply(200, content=self.chunks[digest])

    def _check(self, request: Request) -> Reply:
        hashes = request.json["hashes"]
        if not 1 <= len(hashes) <= 1000:
            return refusal(400, "validation_failed")
        return Reply(data={"missing": [each for each in hashes if each not in self.chunks]})

    def _mint(self, request: Request) -> Reply:
        hashes = request.json["hashes"]
        if not 1 <= len(hashes) <= 1000:
            return refusal(400, "validation_failed")
        end = time.time() + self.life_s
        expires = datetime.fromtimestamp(end, timezone.utc).isoformat().replace("+00:00", "Z")
        urls = {
            each: f"{self.storage_url}/{SITE}/{each}?exp={end}&sig=sEcReTsIgNaTuRe%2F%3D"
            for each in hashes
        }
        return Reply(data={"urls": urls, "expiresAt": expires})

    def _head(self, request: Request) -> Reply:
        roost_id = request.path.split("/")[3]
        if (state := self.roosts.get(roost_id)) is None:
            return refusal(404, "not_found")
        current = state.versions.get(state.head or "")
        return Reply(
            data={
                "roostId": roost_id,
                "siteId": SITE,
                "currentVersionId": state.head,
                "previousVersionId": state.previous,
                "versionCounter": state.counter,
                "currentVersion": current and {"versionId": state.head, **current},
                **state.fields,
            }
        )

    def _version(self, request: Request) -> Reply:
        _, _, _, roost_id, _, ref = request.path.split("/")
        state = self.roosts.get(roost_id, RoostState())
        found = next(
            (
                version_id
                for version_id, each in state.versions.items()
                if ref in {version_id, str(each["versionNumber"]), f"v{each['versionNumber']}"}
                or (ref == "current" and version_id == state.head)
            ),
            None,
        )
        if found is None:
            return refusal(404, "version_not_found")
        row = state.versions[found]
        return Reply(
            data={
                "versionId": found,
                "versionNumber": row["versionNumber"],
                "description": row["description"],
                "version": row["version"],
                "metadata": {"parentVersionId": row["parentVersionId"]},
            }
        )

    def _publish(self, request: Request) -> Reply:
        key = request.headers.get("idempotency-key", "")
        if key in self._answers:
            body, reply = self._answers[key]
            if body != request.body:
                return refusal(422, "idempotency_key_mismatch")
            return Reply(reply.status, reply.data, {"Idempotent-Replayed": "true"})
        reply = self._published(request)
        if reply.status < 400 and key:
            self._answers[key] = request.body, reply
        return reply

    def _published(self, request: Request) -> Reply:
        body, roost_id = request.json, request.path.split("/")[3]
        manifest = body["version"]
        wanted = [chunk["hash"] for each in manifest["files"] for chunk in each["chunks"]]
        if missing := [each for each in dict.fromkeys(wanted) if each not in self.chunks]:
            return refusal(412, "precondition_failed", missingChunks=missing[:20])
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        version_id = hashlib.sha256(text.encode()).hexdigest()
        state = self.roosts.setdefault(roost_id, RoostState())
        fields = {each: body[each] for each in ("name", "targets", "extractPath") if each in body}
        is_stale = body.get("expectedCurrentVersionId", state.head) != state.head
        if is_stale and (state.head != version_id or fields):
            detail = (
                f"expectedCurrentVersionId did not match the current head ({state.head or 'null'})."
            )
            return refusal(412, "version_stale", detail=f"{detail} re-read + retry.")
        state.fields.update(fields)
        status = 200
        if state.head != version_id:
            if version_id not in state.versions:
                status = 201
                state.counter += 1
                state.versions[version_id] = {
                    "versionNumber": state.counter,
                    "version": manifest,
                    "description": body.get("description"),
                    "parentVersionId": state.head,
                }
            state.previous, state.head = state.head, version_id
        return Reply(
            status,
            {
                "versionId": version_id,
                "versionNumber": state.versions[version_id]["versionNumber"],
                "currentVersionId": state.head,
                "previousVersionId": state.previous,
            },
        )


def refusal(status: int, code: str | None, **more: Any) -> Reply:
    """An answer that refuses, with a problem document."""
    problem = {"title": code, "status": status, **more}
    if code is not None:
        problem["code"] = code
    return Reply(status, problem, {"Content-Type": "application/problem+json"})


_KINDS = [
    ("check", "POST", r"/api/chunks/check"),
    ("mint", "POST", r"/api/chunks/(upload|download)-urls"),
    ("publish", "POST", r"/api/roosts/[^/]+/versions"),
    ("version", "GET", r"/api/roosts/[^/]+/versions/[^/]+"),
    ("head", "GET", r"/api/roosts/[^/]+"),
    ("put", "PUT", r"/site-1/[0-9a-f]{64}"),
    ("get", "GET", r"/site-1/[0-9a-f]{64}"),
]


def _handler(owlette: SmallOwlette) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            with owlette.lock:
                owlette.open_connections += 1

        def finish(self) -> None:
            super().finish()
            with owlette.lock:
                owlette.open_connections -= 1

        def answer(self) -> None:
            size = int(self.headers.get("content-length", 0))
            body = self.rfile.read(size)
            if len(body) < size:
                self.close_connection = True
                return
            parts = urlsplit(self.path)
            kind = next(
                (
                    kind
                    for kind, method, pattern in _KINDS
                    if method == self.command and re.fullmatch(pattern, parts.path)
                ),
                "",
            )
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(kind, self.command, parts.path, query, headers, body)
            reply = owlette.answer(request) if kind else owlette.other(request)
            if reply.drops:
                self.close_connection = True
                return
            content = json.dumps(reply.data).encode() if reply.content is None else reply.content
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # the client has gone

        do_GET = do_POST = do_PUT = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None: ...


@contextmanager
def small_owlette() -> Generator[SmallOwlette, None, None]:
    """Serve one, on ports of 127.0.0.1."""
    owlette = SmallOwlette()
    servers = [_Server(("127.0.0.1", 0), _handler(owlette)) for _ in range(2)]
    owlette.url, owlette.storage_url = (
        f"http://127.0.0.1:{each.server_address[1]}" for each in servers
    )
    threads = [
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02})
        for each in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield owlette
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
