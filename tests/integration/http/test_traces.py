"""Spans of a function's process, as a collector gets them; and that without one nothing is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local_emulator.collector import CollectorServer, Span
from tests.support.collecting import address_of, running_collector
from tests.support.function_process import FunctionProcess, function_process
from tests.support.redis_server import free_port
from tests.support.running_suite import ROOT
from tests.support.waiting import wait_until
from tests.unit.security.test_redact import PLAIN, SECRETS, leaks

SOURCE = """
from shared.http.access import Access
from shared.http.app import App
from shared.http.errors import Invalid
from shared.http.reply import Reply
from shared.http.routes import Route
from shared.ports.clock import SystemClock
from shared.telemetry.traces import span


class Clients:
    clock = SystemClock()

    def close(self):
        pass


def work(call, deps):
    with span("inner", attributes={"number": 7}):
        return Reply.ok({})


def fail(call, deps):
    with span("inner"):
        raise RuntimeError("password=" + call.query_values.get("x", ""))


def refuse(call, deps):
    raise Invalid("no")


app = App("tiny", lambda settings: Clients(), [
    Route("GET", "/things/{thing}", work, Access.anyone()),
    Route("GET", "/fail", fail, Access.anyone()),
    Route("GET", "/refuse", refuse, Access.anyone()),
])


def tiny(request):
    return app.handle(request)
"""
TRACE, CAUSE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module")
def collector() -> Iterator[CollectorServer]:
    with running_collector() as server:
        yield server


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, collector: CollectorServer) -> Iterator[FunctionProcess]:
    address = address_of(collector)
    folder = tmp_path_factory.mktemp("traced")
    variables = {"DW_OTLP_ENDPOINT": address, "DW_ENTRY_POINT": "tiny", "DW_TRACE_PERCENT": "100"}
    with function_process(folder, SOURCE, **variables) as running:
        yield running


def spans(collector: CollectorServer, tiny: FunctionProcess, path: str, trace_id: str, number: int) -> list[Span]:
    headers = {"traceparent": f"00-{trace_id}-{CAUSE}-01"}
    httpx.get(f"{tiny.url}{path}", headers=headers, trust_env=False)
    wait_until(lambda: len(collector.spans.trace(trace_id)) >= number, f"no {number} spans came of {path}")
    return collector.spans.trace(trace_id)


def test_a_request_is_a_span_below_its_cause_and_above_what_it_does(
    collector: CollectorServer, tiny: FunctionProcess
) -> None:
    outer, inner = spans(collector, tiny, "/things/3?x=1", TRACE, 2)
    assert (outer.name, outer.kind, outer.service, outer.parent_id) == ("GET /things/{thing}", "server", "tiny", CAUSE)
    assert outer.attributes == {
        "http.request.method": "GET",
        "http.route": "/things/{thing}",
        "http.response.status_code": 200,
    }
    assert (inner.name, inner.kind, inner.parent_id, inner.attributes) == (
        "inner",
        "internal",
        outer.span_id,
        {"number": 7},
    )
    assert outer.start_ns <= inner.start_ns <= inner.end_ns <= outer.end_ns


def test_the_log_names_the_span(collector: CollectorServer, tiny: FunctionProcess) -> None:
    trace_id = TRACE[::-1]
    (found,) = (item for item in spans(collector, tiny, "/refuse", trace_id, 1) if item.kind == "server")
    (line,) = (item for item in tiny.lines() if str(item.get("logging.googleapis.com/trace", "")).endswith(trace_id))
    assert line["logging.googleapis.com/spanId"] == found.span_id
    assert line["logging.googleapis.com/trace_sampled"] is True


def test_only_a_failure_of_ours_is_an_error_and_its_text_stays_out(
    collector: CollectorServer, tiny: FunctionProcess
) -> None:
    assert [item.is_error for item in spans(collector, tiny, "/refuse", "1" * 32, 1)] == [False]
    secret = SECRETS["a key of ours"]
    outer, inner = spans(collector, tiny, f"/fail?x={secret}{PLAIN}", "2" * 32, 2)
    assert outer.is_error
    assert outer.attributes["http.response.status_code"] == 500
    assert inner.attributes["error.type"] == "RuntimeError"
    assert not leaks(secret, repr((outer, inner)))
    assert PLAIN not in repr((outer, inner))


def test_a_cause_that_is_none_starts_a_tree_of_its_own(collector: CollectorServer, tiny: FunctionProcess) -> None:
    before = set(collector.spans.trace_ids())
    httpx.get(f"{tiny.url}/refuse", headers={"traceparent": "garbage"}, trust_env=False)
    wait_until(lambda: set(collector.spans.trace_ids()) - before, "no span came")
    (new,) = set(collector.spans.trace_ids()) - before
    assert [item.parent_id for item in collector.spans.trace(new)] == [""]


def test_what_its_cause_left_out_is_left_out_too_and_the_log_says_so(
    collector: CollectorServer, tiny: FunctionProcess
) -> None:
    trace_id = "4" * 32
    answer = httpx.get(f"{tiny.url}/things/1", headers={"traceparent": f"00-{trace_id}-{CAUSE}-00"}, trust_env=False)
    assert answer.headers["traceparent"].startswith(f"00-{trace_id}-")
    assert answer.headers["traceparent"].endswith("-00")
    spans(collector, tiny, "/things/1", "5" * 32, 2)  # what was sent before has arrived with these
    assert not collector.spans.trace(trace_id)
    (line,) = (item for item in tiny.lines() if str(item.get("logging.googleapis.com/trace", "")).endswith(trace_id))
    assert line["logging.googleapis.com/trace_sampled"] is False


def test_a_request_that_no_span_tells_of_does_not_claim_one(collector: CollectorServer, tiny: FunctionProcess) -> None:
    trace_id = "6" * 32
    headers = {"traceparent": f"00-{trace_id}-{CAUSE}-01"}
    assert httpx.get(f"{tiny.url}/nothing-here", headers=headers, trust_env=False).status_code == 404
    (line,) = (item for item in tiny.lines() if str(item.get("logging.googleapis.com/trace", "")).endswith(trace_id))
    assert line["logging.googleapis.com/trace_sampled"] is False


def test_what_is_left_is_sent_when_the_process_ends(tmp_path: Path, collector: CollectorServer) -> None:
    address = address_of(collector)
    with function_process(tmp_path, SOURCE, DW_OTLP_ENDPOINT=address) as running:
        headers = {"traceparent": f"00-{'3' * 32}-{CAUSE}-01"}
        httpx.get(f"{running.url}/things/1", headers=headers, trust_env=False)
    assert len(collector.spans.trace("3" * 32)) == 2


def test_a_collector_that_is_away_costs_no_answer_and_no_log_line(tmp_path: Path) -> None:
    with function_process(tmp_path, SOURCE, DW_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}") as running:
        for _ in range(5):
            assert httpx.get(f"{running.url}/things/1", trust_env=False).status_code == 200
    assert {line["message"] for line in running.lines()} == {"request"}
    assert "Traceback" not in running.log.read_text("utf-8")


def test_without_a_collector_nothing_is_loaded() -> None:
    program = (
        SOURCE
        + """
import json, sys
from flask import Request
from werkzeug.test import EnvironBuilder
answer = tiny(Request(EnvironBuilder(path="/things/1").get_environ()))
print(json.dumps([answer.status_code, sorted(name for name in sys.modules if name.startswith("opentelemetry."))]))
"""
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"DW_ENV": "emulator", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == [200, []]
