"""A control plane and a storage for `push.py`, in a process of their own, as cheap as can be.

It keeps the names of chunks and forgets their bytes: what is measured is the client. It speaks just
as much of HTTP as the contenders do. Given a certificate, the storage speaks TLS, as a real one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

_PIECE = 1024 * 1024


class State:
    """What is stored, and how much was asked."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.storage = ""
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.chunks: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.versions: dict[str, int] = {}
        self.head: str | None = None
        self.calls = 0
        self.puts = 0
        self.bytes = 0


def api(state: State, method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Answer a request of the API, or of the benchmark itself (`/bench/...`)."""
    if path == "/bench/reset":
        state.reset()
    if path.startswith("/bench/"):
        return 200, {"calls": state.calls, "puts": state.puts, "bytes": state.bytes}
    state.calls += 1
    data: dict[str, Any] = json.loads(body) if body else {}
    if path == "/api/chunks/check":
        return 200, {"missing": [each for each in data["hashes"] if each not in state.chunks]}
    if path == "/api/chunks/upload-urls":
        end = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        urls = {
            each: f"{state.storage}/site-1/{each}?sig=of-the-benchmark" for each in data["hashes"]
        }
        return 200, {"urls": urls, "expiresAt": end}
    if path == "/api/version":
        return 200, {"current": "2026-04-22", "supported": ["2026-04-22"]}
    return _head(state) if method == "GET" else _published(state, data)


def _head(state: State) -> tuple[int, Any]:
    if state.head is None:
        return 404, {"code": "not_found", "status": 404}
    return 200, {"roostId": "rst_bench", "siteId": "site-1", "currentVersionId": state.head}


def _published(state: State, data: dict[str, Any]) -> tuple[int, Any]:
    wanted = {chunk["hash"] for file in data["version"]["files"] for chunk in file["chunks"]}
    if missing := sorted(wanted - state.chunks):
        problem = {"code": "precondition_failed", "missingChunks": missing[:20]}
        return 412, {"status": 412, **problem}
    if data.get("expectedCurrentVersionId", state.head) != state.head:
        return 412, {"code": "version_stale", "status": 412, "currentVersionId": state.head}
    text = json.dumps(data["version"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    version_id = hashlib.sha256(text.encode()).hexdigest()
    previous, state.head = state.head, version_id
    status = 200 if version_id in state.versions else 201
    number = state.versions.setdefault(version_id, len(state.versions) + 1)
    return status, {
        "versionId": version_id,
        "versionNumber": number,
        "currentVersionId": version_id,
        "previousVersionId": previous,
    }


def converse(connection: socket.socket, answer: Callable[[str, str, Any, int], bytes]) -> None:
    """Answer the requests of one connection until it ends."""
    head = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in head:
                received = connection.recv(65_536)
                if not received:
                    return
                head += received
            header, _, rest = head.partition(b"\r\n\r\n")
            first, *lines = header.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ")
            fields = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            if fields.get("expect") == "100-continue":
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            size = int(fields.get("content-length", 0))
            connection.sendall(answer(method, target, (connection, rest), size))
            head = b""


def reply(status: int, content: bytes, kind: str = "application/json") -> bytes:
    """Return an answer as it goes over the wire."""
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def received(source: tuple[socket.socket, bytes], size: int) -> bytes:
    """Return a body."""
    connection, body = source
    while len(body) < size:
        body += connection.recv(size - len(body))
    return body


def found(path: str, size: int | None) -> bytes:
    """Return what WebDAV tells of a file: rclone asks for each one that it has sent."""
    if size is None:
        return reply(404, b"")
    content = (
        f'<d:multistatus xmlns:d="DAV:"><d:response><d:href>{path}</d:href><d:propstat><d:prop>'
        f"<d:getcontentlength>{size}</d:getcontentlength></d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"
    )
    return reply(207, content.encode(), "application/xml")


_BUFFERS = threading.local()


def discarded(source: tuple[socket.socket, bytes], size: int) -> None:
    """Read a body, and forget it."""
    connection, rest = source
    if not hasattr(_BUFFERS, "view"):
        _BUFFERS.view = memoryview(bytearray(_PIECE))
    left = size - len(rest)
    while left > 0:
        count = connection.recv_into(_BUFFERS.view, min(_PIECE, left))
        if not count:
            return
        left -= count


def serve(answer: Callable[[str, str, Any, int], bytes], context: ssl.SSLContext | None) -> int:
    """Serve on a free port, and return it."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)

    def one(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            converse(connection, answer)
        except OSError:
            return  # the client has gone

    def accept() -> None:
        while True:
            threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


def main() -> None:
    """Serve until standard input ends; the first line that is printed is the two URLs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate")
    certificate = parser.parse_args().certificate
    state = State()

    def control(method: str, target: str, source: Any, size: int) -> bytes:
        body = received(source, size)
        with state.lock:
            status, data = api(state, method, target.partition("?")[0], body)
        return reply(status, json.dumps(data).encode())

    def store(method: str, target: str, source: Any, size: int) -> bytes:
        discarded(source, size)
        path = target.partition("?")[0]
        if method == "PROPFIND":
            return found(path, state.sizes.get(path))
        if method == "PUT":
            with state.lock:
                state.chunks.add(path.rpartition("/")[2])
                state.sizes[path] = size
                state.puts += 1
                state.bytes += size
        return reply(201, b"")

    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    scheme = "https" if certificate else "http"
    state.storage = f"{scheme}://127.0.0.1:{serve(store, context)}"
    print(f"http://127.0.0.1:{serve(control, None)}", state.storage, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
