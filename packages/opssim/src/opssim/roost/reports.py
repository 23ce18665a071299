"""What an event leaves behind: its report, its log and the state of each generated file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from opssim.core.clock import iso_utc
from opssim.core.store import JsonObject, encode
from opssim.roost import vocabulary

#: Methods in a report of the `huge_reports` quirk: some 500 kB.
HUGE_REPORT_METHODS: Final = 1800


@dataclass(frozen=True, slots=True)
class Subject:
    """What a test is about, as far as its reports repeat it."""

    repo: str
    branch: str
    git_type: str
    model: str
    extension: str


def report(rng: random.Random, subject: Subject, *, status: str, methods: int) -> str:
    """Return the `test_report` of an event: the text of Roost's `roostReport.json`.

    The keys below `advancedDetails` are file names, paths and method names, so hardly two
    reports share any. `testswithRunTimeErrors` is spelled as Roost spells it.
    """
    details: dict[str, dict[str, dict[str, JsonObject]]] = {}
    done = dict.fromkeys(vocabulary.METHOD_STATUSES, 0)
    for number in range(methods):
        file, path, key, method = _method(rng, subject.extension, number)
        done[method["status"]] += 1
        details.setdefault(file, {}).setdefault(path, {})[key] = method
    broken = done["compilation_error"]
    passed = done["successfully_executed"]
    failing = done["successfully_generated"]
    return encode(
        {
            "postmanCollection": {},
            "headBranch": subject.branch,
            "reportHeadBranch": f"roost-{rng.getrandbits(40):010x}",
            "aiUsage": {
                "promptTokens": 1500 * methods + rng.randrange(1000),
                "completionTokens": 500 * methods + rng.randrange(500),
                "apiCallsToAI": methods + rng.randrange(3),
            },
            "aiModelName": subject.model,
            "repoPath": subject.repo,
            "errorMsg": "" if status == "completed" else vocabulary.STATUS_DETAILS[status],
            "gitPrUrl": _pull_request(rng, subject) if status == "completed" else "",
            "status": status,
            "statusDetails": vocabulary.STATUS_DETAILS[status],
            "coverageReportURL": {},
            "testReportURL": {},
            "testMetrics": {
                "filesScanned": len(details),
                "totalFiles": len(details) + rng.randrange(4),
                "totalTestFiles": passed + broken + failing,
                "successfulTests": passed,
                "testWithCompilationErrors": broken,
                "testswithRunTimeErrors": failing,
                "skippedMethods": rng.randrange(3),
                "toBeProcessed": done["to_be_processed"],
                "existingTestPresent": rng.randrange(3),
                "notSupported": 0,
                "methodsScanned": methods,
                "methodsSuccess": passed + failing,
            },
            "advancedDetails": details,
        }
    ).decode()


def _method(
    rng: random.Random, extension: str, number: int
) -> tuple[str, str, str, dict[str, Any]]:
    noun = rng.choice(vocabulary.NOUNS)
    name = f"{rng.choice(vocabulary.VERBS)}{noun}"
    folder = rng.choice(vocabulary.FOLDERS)
    file = f"{noun}Service.{extension}"
    test_file = f"{noun}{name.title()}{number}Test.{extension}"
    return (
        file,
        f"src/main/{folder}/{file}",
        f"{name}_{rng.getrandbits(32):08x}{number}",
        {
            "methodName": name,
            "status": rng.choice(vocabulary.METHOD_STATUSES),
            "testFilePath": f"src/test/{folder}/{test_file}",
            "csvFilePath": "",
            "description": f"{name}: checks what happens to a {noun}",
            "existingTestCase": [],
            "feedback": [],
            "arguments": rng.choice(vocabulary.ARGUMENTS),
        },
    )


def _pull_request(rng: random.Random, subject: Subject) -> str:
    host = vocabulary.GIT_HOSTS[subject.git_type]
    return f"{host}/{subject.repo}/pull/{rng.randrange(1, 5000)}"


def methods_of(text: str | None) -> Iterator[JsonObject]:
    """Yield the methods that a `test_report` speaks of."""
    if not text:
        return
    details = msgspec.json.decode(text, type=JsonObject).get("advancedDetails", {})
    for paths in details.values():
        for methods in paths.values():
            yield from methods.values()


def log_lines(event: JsonObject) -> list[JsonObject]:
    """Return the log of an event, as far as it has come."""
    started = datetime.fromisoformat(event["time"])
    messages = [("info", f"event {event['id']} accepted for test {event['test_id']}")]
    if event["status"] != "in_queue":
        messages.append(("info", "installing dependencies"))
    for method in methods_of(event["test_report"]):
        level = "error" if method["status"] == "compilation_error" else "info"
        messages.append((level, f"{method['testFilePath']}: {method['status']}"))
    if event["completion_time"]:
        level = "info" if event["status"] == "completed" else "error"
        messages.append((level, event["status_details"]))
    return [
        {"timestamp": iso_utc(started + timedelta(seconds=n)), "level": level, "message": message}
        for n, (level, message) in enumerate(messages)
    ]
