"""What an operator is told when an API answers what it should not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from tests.failing_loads import CLOUD_BOT, PLATFORMS, ROOTLY, Failure, Platform, tries
from tests.warehouse import Warehouse

from opsnest.sources import rootly_incident_management_source
from opssim import Fault
from opssim.pytest_plugin import Simulate

HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>no</body></html>"


# Answers


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_failure_for_good(failure: Failure, platform: Platform, waits: Sequence[float]) -> None:
    error, running = failure(platform, Fault(platform.path, status=500, body=platform.refusal))

    assert error.exit_code == 6
    first, request, advice = str(error).splitlines()
    assert first == (f"{platform.name} / {platform.resource}: the API failed, and went on failing")
    assert request.strip() == f"{platform.request} -> 500 {platform.quoted}"
    assert "Run it again later; what was loaded before stays." in advice
    assert tries(running, platform) == 8
    assert [round(seconds) for seconds in waits[2:4]] == [
        pytest.approx(2, abs=1),
        pytest.approx(4, abs=1),
    ]
    assert sum(waits) > 40


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_request_that_is_refused(failure: Failure, platform: Platform) -> None:
    error, running = failure(platform, Fault(platform.path, status=400, body=platform.refusal))

    assert error.exit_code == 6
    assert f"{platform.request} -> 400 {platform.quoted}" in str(error)
    assert "report" in str(error)
    assert tries(running, platform) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_limit_that_stays(failure: Failure, platform: Platform, waits: Sequence[float]) -> None:
    limit = Fault(
        platform.path,
        status=429,
        body=b'{"error":"Rate limit exceeded. Try again later."}',
        headers={"Retry-After": "7"},
    )

    error, running = failure(platform, limit)

    assert error.exit_code == 6
    first, request, advice = str(error).splitlines()
    assert first == (
        f"{platform.name} / {platform.resource}: still over the rate limit after 8 tries"
    )
    assert request.strip() == (f'{platform.request} -> 429 "Rate limit exceeded. Try again later."')
    assert "use a key of its own" in advice
    assert tries(running, platform) == 8
    assert set(waits) == {7.0}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_page_of_the_edge_instead_of_the_api(failure: Failure, platform: Platform) -> None:
    page = Fault(platform.path, status=403, body=HTML, media_type="text/html")

    error, _ = failure(platform, page)

    assert error.exit_code == 4
    assert f'{platform.request} -> 403 "Just a moment..."' in str(error)
    assert "<" not in str(error)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_answer_that_is_not_json(failure: Failure, platform: Platform) -> None:
    page = Fault(platform.path, status=200, body=HTML, media_type="text/html")

    error, _ = failure(platform, page)

    assert error.exit_code == 6
    assert f"the answer is not JSON (text/html; charset=utf-8, {len(HTML)} bytes)" in str(error)
    assert f'{platform.request} -> 200 "Just a moment..."' in str(error)
    assert "check the address and the proxy" in str(error)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("body", [b"", b'{"message":"Maintenance until 6"}'])
def test_json_of_another_shape_is_not_taken_for_an_empty_list(
    failure: Failure, platform: Platform, body: bytes
) -> None:
    error, _ = failure(platform, Fault(platform.path, status=200, body=body))

    field = "list" if platform is CLOUD_BOT else "data"
    first, request, advice = str(error).splitlines()
    assert error.exit_code == 6
    assert first == f"{platform.name} / {platform.resource}: the answer has no `{field}`"
    assert f"{platform.request} -> 200" in request
    assert "Maintenance" in request or b"Maintenance" not in body
    assert "check the address" in advice


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_redirect_is_named_and_not_followed(failure: Failure, platform: Platform) -> None:
    elsewhere = {"Location": "https://login.example.com/sso?token=hidden"}

    error, running = failure(platform, Fault(platform.path, status=302, headers=elsewhere))

    assert error.exit_code == 6
    assert f"{platform.request} -> 302" in str(error)
    assert "redirects to https://login.example.com/sso" in str(error)
    assert "hidden" not in str(error)
    assert tries(running, platform) == 1


def test_what_was_loaded_before_a_failure_stays(
    simulate: Simulate, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = simulate(ROOTLY.make())
    for name, value in running.configuration.items():
        monkeypatch.setenv(name, value)
    warehouse.load(rootly_incident_management_source())
    before = warehouse.column("users")
    running.simulator.insert("users", 2)
    running.simulator.faults.add(Fault("/v1/teams", status=403))

    with pytest.raises(PipelineStepFailed):
        warehouse.load(rootly_incident_management_source())

    assert warehouse.column("users") == before
    running.simulator.faults.clear()
    assert warehouse.load(rootly_incident_management_source()) == {"users": 2}
