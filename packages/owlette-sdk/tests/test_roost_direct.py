"""The sender of bodies by threads, against servers that do what servers do."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from roost import RoostTransportError
from roost._direct import Body, DirectSender, is_proxied
from roost._transport import tls_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def _no_tls() -> ssl.SSLContext:
    raise AssertionError


@pytest.fixture
def sender() -> Generator[DirectSender, None, None]:
    made = DirectSender(5, _no_tls)
    yield made
    made.close()


def body(*pieces: bytes) -> Body:
    return Body(sum(map(len, pieces)), lambda: [memoryview(each) for each in pieces])


Answer = Callable[[socket.socket, bytes], bool]


def _converse(connection: socket.socket, answer: Answer, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        if context is not None:
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            while head := _head(connection):
                if not answer(connection, head):
                    return


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        if not (got := connection.recv(1024)):
            return b""
        head += got
    return head


@contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Generator[str, None, None]:
    """Answer heads of requests by a function, which tells whether the connection is kept."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                talk = threading.Thread(target=_converse, args=(connection, answer, context))
                threads.append(talk)
                talk.start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    scheme = "https" if context else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def _says(reply: bytes, *, keeps: bool = True) -> Answer:
    def answer(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(reply)
        return keeps

    return answer


def test_a_connection_is_kept(sender: DirectSender) -> None:
    peers: set[object] = set()

    def answer(connection: socket.socket, _: bytes) -> bool:
        peers.add(connection.getpeername())
        connection.sendall(OK)
        return True

    with serving(answer) as url:
        for _ in range(3):
            got = sender.send("GET", f"{url}/a?b=%2F", {})
            assert (got.status, got.body, got.headers["content-length"]) == (200, b"ok", "2")
        sender.close()
    assert len(peers) == 1


def test_the_request_as_it_is_sent(sender: DirectSender) -> None:
    heads: list[str] = []

    def answer(connection: socket.socket, head: bytes) -> bool:
        heads.append(head.decode())
        connection.sendall(OK)
        return True

    with serving(answer) as url:
        sender.send("PUT", f"{url}/a%20b?sig=x%2F%3D&n", {"content-type": "x/y"}, body())
        sender.close()
    first, *lines = heads[0].strip().split("\r\n")
    assert first == "PUT /a%20b?sig=x%2F%3D&n HTTP/1.1"
    assert sorted(lines) == [
        "Accept-Encoding: identity",
        f"Host: {url.removeprefix('http://')}",
        "content-length: 0",
        "content-type: x/y",
    ]


def test_a_kept_connection_that_was_closed_is_made_anew(sender: DirectSender) -> None:
    with serving(_says(OK, keeps=False)) as url:
        for _ in range(3):
            assert sender.send("GET", url, {}).status == 200
            time.sleep(0.02)
        sender.close()


def test_a_new_connection_that_is_closed_is_a_failure(sender: DirectSender) -> None:
    silent = serving(_says(b"", keeps=False))
    with silent as url, pytest.raises(RoostTransportError, match=r"RemoteDisconnected"):
        sender.send("GET", f"{url}/x?sig=secret", {})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x?sig=secret", "http://127.0.0.1:9/a b?sig=secret"]
)
def test_what_fails_does_not_tell_the_signature(sender: DirectSender, url: str) -> None:
    with pytest.raises(RoostTransportError) as raised:
        sender.send("PUT", url, {}, body(b"x"))
    assert "secret" not in str(raised.value)


def test_an_url_that_makes_no_sense_does_not_tell_the_signature(sender: DirectSender) -> None:
    with serving(_says(OK)) as url, pytest.raises(RoostTransportError) as raised:
        sender.send("PUT", f"{url}/a b?sig=secret", {}, body(b"x"))
    assert "InvalidURL" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_long_answer_is_cut_off(sender: DirectSender) -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    with serving(_says(long)) as url:
        assert len(sender.send("GET", url, {}, most=10).body) == 10
        assert len(sender.send("GET", url, {}, most=200_000).body) == 100_000
        sender.close()


def test_an_answer_that_breaks_off_is_a_failure(sender: DirectSender) -> None:
    short = serving(_says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes!", keeps=False))
    with short as url, pytest.raises(RoostTransportError, match="IncompleteRead"):
        sender.send("GET", url, {}, most=1000)


def test_who_takes_what_has_not_come_is_not_believed(sender: DirectSender) -> None:
    """It says 200 and closes, while most of the body is still here."""
    hasty = serving(_says(OK, keeps=False))
    with hasty as url, pytest.raises(RoostTransportError, match=r"BrokenPipe|ConnectionReset"):
        sender.send("PUT", url, {}, body(*[bytes(1_000_000)] * 50))


class BrokenOffError(Exception):
    """What a body may raise."""


@pytest.mark.parametrize("sent", [[], [b"half"], [b"half", b"a"]])
def test_a_body_that_breaks_off_ends_its_request_and_no_other(
    sender: DirectSender, sent: list[bytes]
) -> None:
    whole = body(b"whole")
    got: list[bytes] = []

    def answer(connection: socket.socket, head: bytes) -> bool:
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        content = head.partition(b"\r\n\r\n")[2]
        while len(content) < size and (more := connection.recv(1024)):
            content += more
        got.append(content)
        if len(content) < size:
            return False
        connection.sendall(OK)
        return True

    def breaks() -> Generator[memoryview, None, None]:
        for piece in sent:
            yield memoryview(piece)
        raise BrokenOffError

    with serving(answer) as url:
        for _ in range(2):
            assert sender.send("PUT", url, {}, whole).status == 200
            with pytest.raises(BrokenOffError):
                sender.send("PUT", url, {}, Body(10, breaks))
        assert sender.send("PUT", url, {}, whole).status == 200
        sender.close()
    assert sorted(got) == sorted([b"whole"] * 3 + [b"".join(sent)] * 2)


def test_a_body_begins_anew_on_a_connection_that_was_made_anew(sender: DirectSender) -> None:
    begun: list[int] = []
    got: list[bytes] = []

    def answer(connection: socket.socket, head: bytes) -> bool:
        content = head.partition(b"\r\n\r\n")[2]
        while len(content) < 10 and (more := connection.recv(1024)):
            content += more
        got.append(content)
        connection.sendall(OK)
        return False

    def pieces() -> Generator[memoryview, None, None]:
        begun.append(1)
        yield memoryview(b"first")
        yield memoryview(b" last")

    with serving(answer) as url:
        for _ in range(3):
            assert sender.send("PUT", url, {}, Body(10, pieces)).status == 200
            time.sleep(0.02)
        sender.close()
    assert got == [b"first last"] * 3
    assert len(begun) == 5  # two of them for a connection that was closed


def test_nonsense_is_a_failure(sender: DirectSender) -> None:
    odd = serving(_says(b"nonsense\r\n\r\n", keeps=False))
    with odd as url, pytest.raises(RoostTransportError):
        sender.send("GET", url, {})


def test_silence_is_a_failure() -> None:
    over = threading.Event()
    sender = DirectSender(0.1, _no_tls)

    def answer(*_: object) -> bool:
        over.wait(5)
        return False

    with serving(answer) as url:
        with pytest.raises(RoostTransportError, match=r"timed out"):
            sender.send("GET", url, {})
        over.set()
    sender.close()


def test_stopping_wakes_who_waits(sender: DirectSender) -> None:
    over, began = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def answer(*_: object) -> bool:
        began.set()
        over.wait(10)
        return False

    def send(url: str) -> None:
        try:
            sender.send("PUT", url, {}, body(*[bytes(1_000_000)] * 50))
        except RoostTransportError as error:
            failures.append(error)

    with serving(answer) as url:
        sending = threading.Thread(target=send, args=(url,))
        sending.start()
        began.wait(5)
        sender.stop()
        sending.join(2)
        assert not sending.is_alive()
        with pytest.raises(RoostTransportError, match="ended"):
            sender.send("GET", url, {})
        over.set()
    assert len(failures) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    key, made = (tmp_path_factory.mktemp("tls") / name for name in ("key.pem", "both.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    made.write_text(made.read_text() + key.read_text())
    return made


def test_over_tls_only_who_is_trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with serving(_says(OK), context) as url:
        stranger = DirectSender(5, tls_context)
        with pytest.raises(RoostTransportError, match="CERTIFICATE_VERIFY_FAILED"):
            stranger.send("PUT", url, {}, body(b"x"))
        stranger.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = DirectSender(5, tls_context)
        for _ in range(2):
            assert trusting.send("GET", url, {}).body == b"ok"
        trusting.close()


@pytest.mark.parametrize(
    ("environment", "proxied"),
    [
        ({}, False),
        ({"HTTPS_PROXY": "http://p:3128"}, True),
        ({"HTTP_PROXY": "http://p:3128"}, False),
        ({"ALL_PROXY": "http://p:3128"}, True),
        ({"ALL_PROXY": "http://p:3128", "NO_PROXY": "store.example"}, False),
    ],
)
def test_proxies(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, proxied: bool
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_proxied("https://store.example/x") == proxied
