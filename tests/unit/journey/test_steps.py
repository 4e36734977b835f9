"""The journey names the step that does not come out, takes none that stands on it, and goes on with the others."""

from __future__ import annotations

import json

import httpx
import pytest
import structlog

from infra.journey.__main__ import main, read_url, report
from infra.journey.steps import STEPS, Journey, Result
from shared.testing.clock import FakeClock
from tests.support.journey_site import KEY, ORG, Answer, Site
from tests.support.logs import fresh_loggers

NAMES = [name for name, _, _ in STEPS]
O = f"/api/v2/orgs/{ORG}"  # noqa: E741  (as in product documents)

# What breaks, the step that must say so, and what it says.
BROKEN: list[tuple[str, Answer | Exception, str, str]] = [
    ("GET /api/v2/me", (401, {"code": "unauthenticated"}), "sign-in", "401 unauthenticated, not 200"),
    ("GET /api/v2/me", (200, {"kind": "human", "org_id": ORG, "scopes": []}), "sign-in", "the caller is no key"),
    ("GET /api/v2/me", (200, {"kind": "key", "org_id": ORG, "scopes": ["admin"]}), "sign-in", "the key may do more"),
    ("GET /api/v2/me", (502, b"<html>Bad Gateway</html>"), "sign-in", "502, not 200"),
    ("GET /api/v2/me", (200, b"<html>a page</html>"), "sign-in", "an answer of another shape"),
    ("GET /api/v2/me", (200, []), "sign-in", "an answer of another shape"),
    ("GET /api/v2/me", httpx.ConnectError("no such host"), "sign-in", "no answer: ConnectError"),
    (f"GET {O}/api-keys", (503, {"code": "service_away"}), "list-keys", "503 service_away, not 200"),
    (f"GET {O}/api-keys", (200, {"items": [{"raw_key": KEY}]}), "list-keys", "a list shows a key"),
    (f"GET {O}/cloud-accounts", (200, {"items": []}), "list-accounts", "no cloud account"),
    (f"POST {O}/analyze", httpx.ReadTimeout("too slow"), "analyze-plan", "no answer in time"),
    (f"POST {O}/analyze", (200, {"id": "v", "risk_level": "low", "findings": []}), "analyze-plan", "is not risky"),
    (f"GET {O}/analyses/v", (404, {"code": "not_found"}), "read-analysis", "404 not_found, not 200"),
    (f"GET {O}/analyses", (200, {"items": []}), "read-analysis", "the history lacks the judgement"),
    (f"POST {O}/scans", (409, {"code": "scan_in_progress"}), "start-scan", "409 scan_in_progress, not 202"),
    (f"GET {O}/scans/s", (200, {"status": "failed"}), "finish-scan", "the scan is failed"),
    (f"GET {O}/scans/s", (200, {"status": "running"}), "finish-scan", "the scan is running after 150 s"),
    (f"GET {O}/scans/s/coverage", (200, {"shards_total": 3, "shards_done": 2}), "read-coverage", "a part"),
    (f"GET {O}/scans/s/drift", (500, {"code": "internal_error"}), "read-drift", "500 internal_error, not 200"),
    ("stranger", (200, {"items": []}), "refuse-stranger", "200, not 401"),
    ("GET /api/v2/orgs/00000000-0000-0000-0000-000000000000/scans", (200, {}), "refuse-other-organisation", "200, not 404"),
    (f"GET {O}/audit-log", (200, {"items": []}), "refuse-administration", "200, not 403"),
    (f"GET {O}/invitations", (200, {"items": []}), "refuse-person", "200, not 403"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_loggers(monkeypatch)


def take(site: Site) -> dict[str, Result]:
    """Run the journey against a site; a clock that stands still but for its waits."""
    journey = Journey(site.client(), KEY, FakeClock(), "journey-test")
    return {result.step: result for result in journey.results()}


def needing(step: str) -> set[str]:
    """Return every step that stands on this one, directly or not."""
    found = {step}
    for name, needed, _ in STEPS:
        if found & set(needed):
            found.add(name)
    return found - {step}


def test_every_step_passes_where_everything_is_well() -> None:
    site = Site()
    results = take(site)
    assert list(results) == NAMES
    assert {result.outcome for result in results.values()} == {"passed"}
    assert [headers["X-Request-Id"] for headers in site.headers] == [
        f"journey-test-{number}" for number in range(1, len(site.asked) + 1)
    ]


def test_every_step_is_broken_by_a_case() -> None:
    assert {step for _, _, step, _ in BROKEN} == set(NAMES)


@pytest.mark.parametrize(("call", "answer", "step", "reason"), BROKEN)
def test_what_is_broken_is_named(call: str, answer: Answer | Exception, step: str, reason: str) -> None:
    results = take(Site({call: answer}))
    assert reason in results[step].reason
    assert {name for name, result in results.items() if result.outcome == "failed"} == {step}
    assert {name for name, result in results.items() if result.outcome == "skipped"} == needing(step)


def test_it_reports_before_its_time_is_up() -> None:
    site = Site({f"GET {O}/scans/s": (200, {"status": "running"})})
    journey = Journey(site.client(), KEY, FakeClock(), "journey-test", scan_seconds=1000, within_seconds=60)
    results = {result.step: result for result in journey.results()}
    assert list(results) == NAMES
    assert results["finish-scan"].reason == results["refuse-stranger"].reason == "no time is left"
    assert results["finish-scan"].latency_ms == 60_000


def test_one_call_alone_comes_without_the_key() -> None:
    site = Site()
    take(site)
    without = [call for call, headers in zip(site.asked, site.headers, strict=True) if "x-api-key" not in headers]
    assert without == [f"GET {O}/scans"]


def lines_of(results: list[Result]) -> tuple[bool, list[dict[str, object]]]:
    with structlog.testing.capture_logs() as lines:
        passed = report(results, "journey-test")
    return passed, [dict(line) for line in lines]


def test_the_log_has_a_line_for_each_step_and_one_for_the_whole() -> None:
    passed, lines = lines_of(list(take(Site()).values()))
    assert passed
    assert [line["event"] for line in lines] == ["journey step"] * len(NAMES) + ["journey passed"]
    assert [line["step"] for line in lines[:-1]] == NAMES


def test_a_failure_is_one_line_with_the_first_step_that_failed_and_nothing_of_the_answer() -> None:
    told = {"code": "Not A Code", "detail": "somebody@example.com"}
    passed, lines = lines_of(list(take(Site({f"POST {O}/scans": (500, told)})).values()))
    assert not passed
    last = lines[-1]
    assert (last["event"], last["log_level"], last["step"], last["reason"]) == (
        "journey failed", "error", "start-scan", "500, not 202",
    )  # fmt: skip
    assert last["outcomes"] == {
        name: "failed" if name == "start-scan" else "skipped" if name in needing("start-scan") else "passed" for name in NAMES
    }  # fmt: skip
    assert "example.com" not in json.dumps(lines, default=str)


@pytest.mark.parametrize(
    "url", ["http://driftwise.example.com", "ftp://x", "driftwise", "https://u:p@x", "https://x/?a=1"]
)
def test_a_key_goes_to_an_address_with_tls_alone(url: str) -> None:
    with pytest.raises(ValueError, match=r"https only|no address"):
        read_url(url)


def test_the_emulator_on_this_machine_needs_no_tls() -> None:
    assert read_url("http://127.0.0.1:8080/") == "http://127.0.0.1:8080"


def test_without_a_key_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JOURNEY_API_KEY", "what the secret was made with")
    assert main(["--url", "https://driftwise.example.com"]) == 2
    assert "what the secret was made with" not in capsys.readouterr().out
