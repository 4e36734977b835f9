"""One scan, across every process it went through, is one tree of spans."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate, Org
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def org(emulator: RunningSuite) -> Org:
    estate = Estate(emulator, "network")
    estate.build()
    return Org.make(estate)


def test_one_scan_is_one_tree(emulator: RunningSuite, org: Org) -> None:
    if "collector" not in emulator.processes:
        pytest.skip("this suite has no collector at hand")
    account = org.connect_with_state()
    trace_id, cause = uuid4().hex, uuid4().hex[:16]
    headers = {"traceparent": f"00-{trace_id}-{cause}-01"}
    started = org.call("POST", "/scans", json={"account_id": account}, headers=headers)
    assert started.status_code == 202, started.text
    assert started.headers["traceparent"].split("-")[1] == trace_id
    scan = org.finish(started.json()["id"])
    assert scan["status"] == "done", scan
    shards = scan["shards_total"]
    seen: list[dict[str, Any]] = []

    def is_whole() -> bool:
        answer = httpx.get(f"http://127.0.0.1:{emulator.processes['collector']}/traces/{trace_id}", trust_env=False)
        seen[:] = answer.json()["spans"]
        names = Counter(item["name"] for item in seen)
        known = {item["span_id"] for item in seen} | {cause}
        return (
            names["process scan-shards"] >= shards
            and names["process scan-comparisons"] >= 1
            and all(item["parent_id"] in known for item in seen)
        )

    wait_until(is_whole, f"the tree stays in pieces: {seen}", timeout_seconds=30)
    by_id = {item["span_id"]: item for item in seen}
    (root,) = (item for item in seen if item["parent_id"] == cause)
    assert (root["name"], root["kind"], root["service"]) == ("POST /api/v2/orgs/{org_id}/scans", "server", "scan")
    assert root["attributes"]["http.response.status_code"] == 202

    def ancestors(item: dict[str, Any]) -> list[str]:
        names = []
        while item["parent_id"] != cause:
            item = by_id[item["parent_id"]]
            names.append(item["name"])
        return names

    for item in seen:
        assert item is root or ancestors(item)[-1] == root["name"]
        assert item["start_ns"] <= item["end_ns"]
    comparison = next(item for item in seen if item["name"] == "process scan-comparisons")
    assert (comparison["kind"], comparison["service"]) == ("consumer", "scan_worker")
    assert ancestors(comparison) == [
        "unit of work", "process scan-shards", "unit of work", "POST /api/v2/orgs/{org_id}/scans",
    ]  # fmt: skip
    kinds = {item["name"]: item["kind"] for item in seen}
    assert kinds["publish scan-shards"] == kinds["publish scan-comparisons"] == "producer"
    assert kinds["unit of work"] == "client"
    assert not any(item["is_error"] for item in seen)
