"""`python -m roost`: what it prints, where, and with which exit code."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from small_owlette import SITE, TOKEN, Reply, SmallOwlette, refusal

from roost._cli import main
from roost._cli_text import Line, size
from roost.resources.roosts import PushProgressUpload

ROOST = "rst_abc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"content {number}")
    return folder


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, owlette: SmallOwlette) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("OWLETTE_TOKEN", TOKEN)
    monkeypatch.setenv("OWLETTE_API_URL", owlette.url)
    monkeypatch.setenv("OWLETTE_SITE", SITE)


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(each) for each in arguments])
    printed = capsys.readouterr()
    assert TOKEN not in printed.out + printed.err
    return code, printed.out, printed.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    code, out, err = said(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_the_whole_way(
    capsys: pytest.CaptureFixture[str], owlette: SmallOwlette, root: Path, tmp_path: Path
) -> None:
    code, out, err = said(capsys, "plan", root, ROOST)
    assert (code, err) == (0, "")
    assert "3 files, 27 bytes: a push would publish" in out
    assert "3 of 3 chunks would be uploaded, 27 bytes, with 4 calls" in out
    code, out, err = said(capsys, "push", root, ROOST, "--description", "first")
    assert (code, err) == (0, "")
    assert out.startswith("version 1 of 3 files, 27 bytes, is current: ")
    assert "3 of 3 chunks were uploaded" in out
    assert owlette.head(ROOST)["description"] == "first"
    code, out, _ = said(capsys, "pull", ROOST, "1", tmp_path / "there")
    assert code == 0
    assert out == (
        "version 1: 3 files written, 0 were as they had to be; 3 chunks, 27 bytes, were fetched\n"
    )
    code, out, _ = said(capsys, "verify", ROOST, "current", tmp_path / "there")
    assert (code, out.split(",")[0]) == (0, "the folder is version 1")
    (tmp_path / "there" / "1.txt").write_text("other")
    (tmp_path / "there" / "2.txt").unlink()
    code, out, _ = said(capsys, "verify", ROOST, "current", tmp_path / "there")
    assert code == 3
    assert "is not version 1" in out
    assert "  missing: 2.txt\n  changed: 1.txt\n" in out


def test_as_json(
    capsys: pytest.CaptureFixture[str], owlette: SmallOwlette, root: Path, tmp_path: Path
) -> None:
    planned = as_json(capsys, "plan", root, ROOST)
    pushed = as_json(capsys, "push", root, ROOST)
    assert pushed["version_id"] == planned["version_id"] == owlette.roosts[ROOST].head
    assert pushed["stats"]["uploaded_chunks"] == 3
    assert as_json(capsys, "plan", root, ROOST)["is_current"] is True
    assert as_json(capsys, "pull", ROOST, "1", tmp_path / "there")["unchanged"] == 0
    assert as_json(capsys, "verify", ROOST, "1", tmp_path / "there")["is_equal"] is True


def test_options_of_a_push(
    capsys: pytest.CaptureFixture[str], owlette: SmallOwlette, root: Path
) -> None:
    (root / "empty").touch()
    code, _, _ = said(
        capsys, "push", root, ROOST, "--name", "Lobby", "--target", "m-1", "--target", "m-2",
        "--extract-path", "C:\\x", "--ignore", "1.*", "--include-empty", "--no-cache",
        "--on-conflict", "raise", "--concurrency", "2", "--quiet", "--timeout", "9",
    )  # fmt: skip
    assert code == 0
    assert owlette.roosts[ROOST].fields == {
        "name": "Lobby",
        "targets": ["m-1", "m-2"],
        "extractPath": "C:\\x",
    }
    assert set(owlette.files(ROOST)) == {"0.txt", "2.txt", "empty"}


def answers(owlette: SmallOwlette, path: str, *replies: Any) -> None:
    """Let requests to other paths be answered."""
    waiting = [Reply(data=each) if isinstance(each, dict) else each for each in replies]
    owlette.others[path] = waiting


def test_a_rollout(capsys: pytest.CaptureFixture[str], owlette: SmallOwlette) -> None:
    begun = {"rolloutId": "v" * 64, "versionId": "v" * 64, "siteId": SITE, "roostId": ROOST}
    begun |= {"stage": "canary", "canary": ["m-1"], "fleet": ["m-2", "m-3"]}  # type: ignore[dict-item]
    deploy, rollout = f"/api/roosts/{ROOST}/deploy", f"/api/roosts/{ROOST}/deployments/{'v' * 64}"
    answers(owlette, deploy, begun, begun, {**begun, "dryRun": True}, begun)
    code, out, _ = said(capsys, "deploy", ROOST)
    assert code == 0
    assert "is in stage canary: 1 machines first, 2 after them" in out
    answers(owlette, rollout, {**begun, "stage": "complete"})
    code, out, _ = said(capsys, "deploy", ROOST, "--wait", "--machine", "m-1")
    assert (code, "is in stage complete" in out) == (0, True)
    assert owlette.asked[-2].json["machines"] == ["m-1"]
    code, out, _ = said(capsys, "deploy", ROOST, "--dry-run", "--version", "v" * 64)
    assert (code, "would begin" in out) == (0, True)
    answers(owlette, rollout, {**begun, "stage": "aborted", "abortReason": "1/3 failed"})
    code, out, err = said(capsys, "deploy", ROOST, "--wait")
    assert (code, out) == (3, "")
    assert err == f"error: the rollout of {'v' * 64} was aborted: 1/3 failed\n"


def test_status_and_rollback_and_whoami(
    capsys: pytest.CaptureFixture[str], owlette: SmallOwlette, root: Path
) -> None:
    rollouts = f"/api/roosts/{ROOST}/deployments"
    said(capsys, "push", root, ROOST, "--name", "Lobby")
    answers(owlette, rollouts, {"rollouts": [{"stage": "fleet", "versionId": "v"}]})
    code, out, _ = said(capsys, "status", ROOST)
    assert code == 0
    assert out.splitlines()[0] == "Lobby (rst_abc)"
    assert out.splitlines()[1].startswith("version 1 of ")
    assert out.splitlines()[2] == "latest rollout: fleet, of v"
    answers(
        owlette,
        f"/api/roosts/{ROOST}/rollback",
        {"ok": True, "currentVersionId": "abc", "currentVersionNumber": 1},
    )
    code, out, _ = said(capsys, "rollback", ROOST)
    assert (code, out) == (0, "version 1 is current: abc\n")
    assert owlette.asked[-1].json == {"siteId": SITE}
    scopes = [{"resource": "site", "id": "*", "permissions": ["read", "write"]}]
    key = {"keyPrefix": "owk_test_ab", "name": "ci", "environment": "test", "scopes": scopes}
    answers(owlette, "/api/whoami", {"userId": "u", "email": "a@b", "role": "admin", "key": key})
    code, out, _ = said(capsys, "whoami")
    assert out.splitlines()[0].startswith("a@b, role admin")
    assert out.splitlines()[-1] == "  site *: read, write"


# ---- what goes wrong


def test_no_key(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OWLETTE_TOKEN")
    code, out, err = said(capsys, "whoami")
    assert (code, out) == (2, "")
    assert "set OWLETTE_TOKEN" in err


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["push"], ["push", ".", ROOST, "--on-conflict", "x"]]
)
def test_asked_wrongly(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert "usage: python -m roost" in capsys.readouterr().err


def test_no_site(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OWLETTE_SITE")
    with pytest.raises(SystemExit) as raised:
        main(["status", ROOST])
    assert raised.value.code == 2
    assert "--site" in capsys.readouterr().err


def test_a_wrong_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.setenv("OWLETTE_TOKEN", "owk_test_wrong")
    code, out, err = said(capsys, "push", root, ROOST)
    assert (code, out) == (1, "")
    assert "(HTTP 401, unauthorized)\nis OWLETTE_TOKEN the key" in err
    assert "owk_test_wrong" not in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["push", "nowhere", ROOST], "nowhere: No such file or directory"),
        (["push", ".", ROOST, "--ignore", "*"], "no non-empty files found"),
        (["push", ".", ROOST, "--concurrency", "0"], "at least 1"),
        (["pull", ROOST, "1", "there"], "(HTTP 404, version_not_found)\nis the id right"),
        (["verify", ROOST, "0x", "there"], "HTTP 404"),
        (["status", "a/b"], "HTTP 404"),
        (["status", ""], "an id in the path of a request"),
        (["whoami", "--api-url", "http://127.0.0.1:9"], "is the API there"),
    ],
)
def test_errors(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    code, out, err = said(capsys, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert told in err
    assert "Traceback" not in err


def test_a_conflict(capsys: pytest.CaptureFixture[str], owlette: SmallOwlette, root: Path) -> None:
    stale = refusal(412, "version_stale", detail="current head (abc)", requestId="req-1")
    owlette.faults.append(lambda request: stale if request.kind == "publish" else None)
    code, _, err = said(capsys, "push", root, ROOST, "--on-conflict", "raise")
    assert code == 1
    assert "(HTTP 412, version_stale, request req-1)\nsomebody else has published" in err


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c(owlette: SmallOwlette, root: Path) -> None:
    def fault(request: Any) -> None:
        if request.kind == "put":
            time.sleep(5)

    owlette.faults.append(fault)
    process = subprocess.Popen(
        [sys.executable, "-m", "roost", "push", str(root), ROOST],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while "put" not in owlette.kinds() and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    assert err == "interrupted: another push goes on where this one was\n"


def test_a_reader_that_goes_away(root: Path) -> None:
    command = f"'{sys.executable}' -m roost plan '{root}' {ROOST} --json | true"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, env=os.environ.copy()
    )
    assert done.stderr == ""


# ---- the line of progress


def test_progress_is_one_line_that_is_taken_away() -> None:
    stream = io.StringIO()
    line = Line(stream, is_shown=True)
    line.show(PushProgressUpload(uploaded=4, total=10))
    line.show(PushProgressUpload(uploaded=5, total=10))  # too soon
    line.write("x" * 200)
    line.clear()
    line.clear()
    shown = stream.getvalue().split("\r")
    assert shown[1] == "uploading 4/10 chunks"
    assert shown[2] == "x" * 78 + "…"
    assert shown[3:] == [" " * 79, ""]


def test_nobody_is_looking() -> None:
    stream = io.StringIO()
    line = Line(stream, is_shown=False)
    line.show(PushProgressUpload(uploaded=4, total=10))
    line.clear()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (2 * 10**9, "2.0 GB"),
        (10**13, "10.0 TB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
