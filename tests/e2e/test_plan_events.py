"""A plan that a webhook delivers, through the running suite: two functions, two queues, one key, one analysis."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate, Org
from tests.support.waiting import wait_until

from .test_webhooks import deliver, deliveries, make_config

PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.11.0",
    "resource_changes": [
        {
            "address": "aws_db_instance.main", "mode": "managed", "type": "aws_db_instance", "name": "main",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {
                "actions": ["delete"], "before": {"identifier": "main"}, "after": None, "after_unknown": {}, "before_sensitive": {},
                "after_sensitive": {},
            },
        }
    ],
}  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "atlantis": {"plan_json": PLAN, "ci": {"repo_owner": "shop", "repo_name": "infra", "pr_number": 12}},
    "standard": {"type": "terraform.plan", "data": {"plan_json": json.dumps(PLAN), "fail_on": "high"}},
}


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    return Estate(emulator, "none")  # its other back ends; nothing is scanned here


@pytest.mark.parametrize("provider", BODIES)
def test_a_delivered_plan_becomes_one_analysis(estate: Estate, provider: str) -> None:
    org = Org.make(estate)
    config, sender = make_config(org, provider)
    sent = sender.send(json.dumps(BODIES[provider]).encode(), int(time.time()))
    assert [deliver(org, config, sent).status_code for _ in range(2)] == [202, 200]
    wait_until(lambda: deliveries(org, "&status=handled"), "the plan was judged", timeout_seconds=60.0)
    [line] = org.send("GET", "/analyses")["items"]
    assert (line["risk_level"], line["requested_by"]) == ("critical", f"webhook:{config['id']}")
    assert line["is_refused"] == (provider == "standard")


def test_what_is_no_plan_says_why(estate: Estate) -> None:
    org = Org.make(estate)
    config, sender = make_config(org, "standard")
    body = {"type": "terraform.plan", "data": {"plan_json": "Plan: 1 to add, 0 to change, 0 to destroy."}}
    assert deliver(org, config, sender.send(json.dumps(body).encode(), int(time.time()))).status_code == 202
    wait_until(lambda: deliveries(org, "&status=failed"), "the delivery failed", timeout_seconds=60.0)
    [found] = deliveries(org)
    assert found["error_code"] == "plan_unreadable"
    assert "as people read it" in found["error_detail"]
