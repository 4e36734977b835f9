"""Runs of Terraform Cloud: a notification names one, its plan is fetched and judged like any other; what cannot be fetched says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from shared.testing.clock import FakeClock
from tests.support.analyze_function import AnalyzeFunction
from tests.support.code_hosts import CLOUD_TOKEN, RUN_ID, Answer, FakeTerraformCloud, Fault, serving
from tests.support.database import ClonedDatabase
from tests.support.http_app import SETTINGS, problem

from .test_analyses import DATABASE_GOES, QUIET, plan_of
from .test_plan_events import Suite

INGRESS = {
    "branch": "more", "clone-url": "https://github.com/shop/infra", "commit-sha": "0123456789abcdef0123456789abcdef01234567",
    "identifier": "shop/infra", "is-pull-request": True, "pull-request-number": 12, "sender-username": "ada",
}  # fmt: skip


class CloudSuite(Suite):
    """Both functions, and a Terraform Cloud that is served."""

    def __init__(self, database: ClonedDatabase, cloud: FakeTerraformCloud) -> None:
        super().__init__(database)
        self.cloud = cloud
        cloud.clock = self.webhook.clock
        settings = replace(SETTINGS, egress_bypass=urlsplit(cloud.url).netloc)
        self.analyze = AnalyzeFunction(
            database, clock=self.webhook.clock, queue=self.webhook.queue, vault=self.webhook.vault, settings=settings
        )
        self.reader.function = self.analyze

    def connect(self, owner: str = "ACME-Org") -> str:
        """Make the connection; returns its id."""
        body = {"kind": "terraform_cloud", "name": "ours", "owner": owner, "url": self.cloud.url, "token": CLOUD_TOKEN}
        return str(self.reader.done("POST", "/code-hosts", body, 201, role="admin")["id"])

    def notify(self, trigger: str = "run:needs_attention", status: str = "planned", **members: Any) -> str:
        """Deliver a notification; returns the delivery's id."""
        notice = {"message": "x", "trigger": trigger, "run_status": status, "run_updated_by": "ada"}
        body = {
            "payload_version": 1, "run_url": f"{self.cloud.url}/app/acme-org/net/runs/{RUN_ID}", "run_id": RUN_ID,
            "organization_name": "acme-org", "workspace_name": "net", "notifications": [notice], **members,
        }  # fmt: skip
        return self.take_in(body, "terraform_cloud")


@pytest.fixture
def suite(database: ClonedDatabase) -> Iterator[CloudSuite]:
    with serving(FakeTerraformCloud(FakeClock(), plan=plan_of(DATABASE_GOES, QUIET), ingress=INGRESS)) as cloud:
        yield CloudSuite(database, cloud)


@pytest.mark.parametrize(
    ("trigger", "status"), [("run:needs_attention", "planned"), ("run:completed", "planned_and_finished")]
)
def test_a_runs_plan_is_fetched_and_judged(suite: CloudSuite, trigger: str, status: str) -> None:
    host_id = suite.connect()
    delivery_id = suite.notify(trigger, status)
    suite.work(times=2)
    assert suite.shown(delivery_id)["status"] == "handled"
    [line] = suite.analyses()
    assert (line["risk_level"], line["repository"], line["pull_request"], line["branch"]) == (
        "critical",
        "shop/infra",
        12,
        "more",
    )
    assert line["requested_by"].startswith("webhook:")
    fetched = [item for item in suite.cloud.asked if "_archivist" in item.path]
    assert len(fetched) == 1
    assert "authorization" not in fetched[0].headers, "the token goes to nobody else"
    assert suite.reader.done("GET", f"/code-hosts/{host_id}", role="admin")["last_used_at"] is not None


def test_a_run_that_comes_from_no_repository_is_judged_all_the_same(suite: CloudSuite) -> None:
    suite.connect()
    suite.cloud.ingress = None
    suite.notify()
    suite.work()
    assert [(line["repository"], line["pull_request"]) for line in suite.analyses()] == [("", None)]


@pytest.mark.parametrize("trigger", ["run:created", "run:planning", "run:errored"])
def test_other_notifications_ask_for_nothing(suite: CloudSuite, trigger: str) -> None:
    suite.connect()
    delivery_id = suite.notify(trigger)
    suite.work()
    assert suite.shown(delivery_id)["status"] == "handled"
    assert (suite.analyses(), suite.cloud.asked) == ([], [])


def test_a_run_that_was_applied_is_past_judging(suite: CloudSuite) -> None:
    suite.connect()
    delivery_id = suite.notify("run:completed", "applied")
    suite.work()
    assert (suite.shown(delivery_id)["status"], suite.analyses(), suite.cloud.asked) == ("handled", [], [])


@pytest.mark.parametrize("owner", [None, "other"])
def test_without_a_connection_a_run_fails_and_says_so(suite: CloudSuite, owner: str | None) -> None:
    if owner is not None:
        suite.connect(owner)
    delivery_id = suite.notify()
    suite.work()
    assert (suite.shown(delivery_id)["status"], suite.shown(delivery_id)["error_code"]) == (
        "failed",
        "connection_missing",
    )
    assert suite.cloud.asked == []


@pytest.mark.parametrize(
    "members",
    [
        {"run_id": "../../organizations"},
        {"run_id": "run-1?x"},
        {"run_id": None},
        {"organization_name": None},
        {"run_id": "run-"},
    ],
)
def test_a_notification_that_names_no_run_fails(suite: CloudSuite, members: dict[str, Any]) -> None:
    suite.connect()
    delivery_id = suite.notify(**members)
    suite.work()
    assert suite.shown(delivery_id)["error_code"] == "plan_unreadable"
    assert suite.cloud.asked == []


def test_a_notification_about_another_host_asks_nobody(suite: CloudSuite) -> None:
    suite.connect()
    delivery_id = suite.notify(run_url="https://evil.example/app/acme-org/net/runs/x")
    suite.work()
    assert suite.shown(delivery_id)["error_code"] == "connection_missing"
    assert suite.cloud.asked == []


def test_a_plan_that_is_not_there_yet_is_waited_for(suite: CloudSuite) -> None:
    suite.connect()
    plan, suite.cloud.plan = suite.cloud.plan, None
    delivery_id = suite.notify()
    suite.webhook.work()
    [event] = suite.webhook.queue.messages("plan-events")
    problem(suite.analyze.push(event, "plan-events"), 503, "code_host_away")
    suite.cloud.plan = plan
    suite.work()
    assert (suite.shown(delivery_id)["status"], len(suite.analyses())) == ("handled", 1)


@pytest.mark.parametrize(
    "archive",
    ["https://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "file:///etc/passwd", "https://localhost/x"],
)
def test_a_plan_that_lies_where_nobody_may_fetch_it_is_refused(suite: CloudSuite, archive: str) -> None:
    suite.connect()
    suite.cloud.archive = archive
    delivery_id = suite.notify()
    suite.work()
    assert (suite.shown(delivery_id)["status"], suite.shown(delivery_id)["error_code"]) == ("failed", "egress_refused")


@pytest.mark.parametrize(
    ("part", "answer", "code"),
    [
        (f"/runs/{RUN_ID}", Answer(401, {}), "code_host_access"), (f"/runs/{RUN_ID}", Answer(404, {}), "code_host_not_found"),
        ("json-output", Answer(200, {"not": "a redirect"}), "code_host_answer"), ("_archivist", Answer(403, {}), "code_host_answer"),
        ("_archivist", Answer(200, "this is no plan"), "plan_unreadable"),
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_says_why(suite: CloudSuite, part: str, answer: Answer, code: str) -> None:
    host_id = suite.connect()
    suite.cloud.faults.append(Fault("GET", part, answer))
    delivery_id = suite.notify()
    suite.work()
    assert (suite.shown(delivery_id)["status"], suite.shown(delivery_id)["error_code"]) == ("failed", code)
    if code.startswith("code_host"):
        assert suite.reader.done("GET", f"/code-hosts/{host_id}", role="admin")["last_error_code"] == code


def test_a_limit_is_kept(suite: CloudSuite) -> None:
    suite.connect()
    suite.cloud.faults.append(Fault("GET", "/runs/", Answer(429, {}, {"retry-after": "30"})))
    suite.notify()
    suite.webhook.work()
    [event] = suite.webhook.queue.messages("plan-events")
    problem(suite.analyze.push(event, "plan-events"), 503, "code_host_away")
    suite.webhook.clock.advance(31)
    suite.work()
    assert len(suite.analyses()) == 1


def test_the_token_is_said_nowhere(suite: CloudSuite, capsys: pytest.CaptureFixture[str]) -> None:
    suite.connect()
    suite.notify()
    suite.work()
    said = "".join(capsys.readouterr()) + json.dumps(suite.analyses()) + json.dumps(suite.reader.audits())
    assert CLOUD_TOKEN not in said
