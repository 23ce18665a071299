"""A server that answers what a test says, byte for byte, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(slots=True)
class Server:
    url: str
    answer: Callable[[Asked], bytes]
    asked: list[Asked] = field(default_factory=list[Asked])
    connections: int = 0

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]


def reply(
    body: bytes | object = b"",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    length: int | None = None,
    close: bool = False,
) -> bytes:
    """Write an answer. What is not bytes is sent as JSON; `length` may promise too much."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(content) if length is None else length),
        **({"Connection": "close"} if close else {}),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode("latin-1") + content


@contextmanager
def scripted(answer: Callable[[Asked], bytes]) -> Generator[Server]:
    """Serve until the block ends. An empty answer closes the connection.

    An answer that says `Connection: close`, or promises more than it has, closes it afterwards.
    """
    server = Server("", answer)
    lock = threading.Lock()
    open_now: set[socket.socket] = set()

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            with lock:
                server.connections += 1
                number = server.connections
                open_now.add(self.connection)
            with suppress(OSError):
                while (asked := self._read(number)) is not None:
                    with lock:
                        server.asked.append(asked)
                    out = server.answer(asked)
                    self.wfile.write(out)
                    if not out or _ends(out):
                        break
            with lock:
                open_now.discard(self.connection)

        def _read(self, number: int) -> Asked | None:
            line = self.rfile.readline().decode("latin-1").split()
            if len(line) < 2:
                return None
            headers: dict[str, str] = {}
            while (row := self.rfile.readline().decode("latin-1").strip()) != "":
                name, _, value = row.partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", "0")))
            return Asked(line[0], line[1], headers, body, number)

    class Listener(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

    with Listener(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_address[1]}"
        thread = threading.Thread(target=lambda: listener.serve_forever(0.01), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join(5)
            with lock:
                for each in open_now:
                    with suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)


def queued(*answers: bytes) -> Callable[[Asked], bytes]:
    """Answer one after the other, and the last one for ever."""
    left = list(answers)
    lock = threading.Lock()

    def answer(_asked: Asked) -> bytes:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


def _ends(out: bytes) -> bool:
    head, _, body = out.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    lengths = [int(line.partition(b":")[2]) for line in lines if line[:14] == b"content-length"]
    return b"connection: close" in lines or any(length > len(body) for length in lengths)


def decoded(body: bytes) -> Any:
    return json.loads(body)
