"""Plans that webhooks deliver: from a signed delivery over both workers to an analysis, once; what is no plan says why."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from shared.ports.queue import DEAD_LETTER_SOURCE, Message
from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.database import ClonedDatabase
from tests.support.http_app import problem
from tests.support.webhook_function import WebhookFunction, WebhookOrg, sender_of

from .test_analyses import DATABASE_GOES, QUIET, SECRET, plan_of

CI = {"repo_owner": "shop", "repo_name": "infra", "pr_number": 12, "branch": "more", "actor": "ada"}
PLAN = plan_of(DATABASE_GOES, QUIET)


class Suite:
    """Both functions over one database, one queue and one key vault, and an organisation that uses both."""

    def __init__(self, database: ClonedDatabase) -> None:
        self.webhook = WebhookFunction(database)
        webhook = self.webhook
        self.analyze = AnalyzeFunction(database, clock=webhook.clock, queue=webhook.queue, vault=webhook.vault)
        self.sender = WebhookOrg.make(self.webhook)
        self.reader = AnalyzeOrg(self.analyze, self.sender.id)

    def take_in(self, body: Any, provider: str = "atlantis", **headers: str) -> str:
        """Deliver a body; returns the delivery's id."""
        config = self.sender.make_config(provider)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self.webhook.deliver(
            config["url"], sender_of(config).send(content, self.webhook.now).changed(**headers)
        )
        assert response.status_code == 202, response.get_data()
        return str(json.loads(response.get_data())["id"])

    def work(self, *, times: int = 1) -> None:
        """Push every message there has been to its worker, so and so often."""
        for _ in range(times):
            self.webhook.work()
            for message in self.webhook.queue.messages("plan-events"):
                assert self.analyze.push(message, "plan-events").status_code == 204
            for message in self.webhook.queue.messages("plan-event-results"):
                assert self.webhook.push(message, "plan-event-results").status_code == 204

    def shown(self, delivery_id: str) -> dict[str, Any]:
        """Return a delivery as admins see it."""
        return next(item for item in self.sender.deliveries("?limit=200") if item["id"] == delivery_id)

    def analyses(self) -> list[dict[str, Any]]:
        """List analyses."""
        return cast("list[dict[str, Any]]", self.reader.done("GET", "/analyses")["items"])


@pytest.fixture
def suite(database: ClonedDatabase) -> Suite:
    return Suite(database)


@pytest.mark.parametrize(
    ("provider", "body", "kind"),
    [
        ("atlantis", {"plan_json": PLAN, "ci": CI, "fail_on": "high"}, "plan"),
        ("atlantis", {"event": "plan", "plan_json": json.dumps(PLAN), "ci": CI, "fail_on": "high"}, "plan"),
        ("standard", {"type": "terraform.plan", "data": {"plan_json": PLAN, "ci": CI, "fail_on": "high"}}, "terraform.plan"),
    ],
)  # fmt: skip
def test_a_delivered_plan_becomes_an_analysis_like_any_other(
    suite: Suite, provider: str, body: dict[str, Any], kind: str
) -> None:
    delivery_id = suite.take_in(body, provider)
    suite.webhook.work()
    assert suite.shown(delivery_id)["status"] == "received", "it is not done before it is judged"
    suite.work(times=2)
    found = suite.shown(delivery_id)
    assert (found["status"], found["event_kind"], found["error_code"]) == ("handled", kind, None)
    [line] = suite.analyses()
    assert (line["requested_by"], line["repository"], line["pull_request"]) == (
        f"webhook:{found['config_id']}", "shop/infra", 12,
    )  # fmt: skip
    assert (line["risk_level"], line["is_refused"]) == ("critical", True)
    told = suite.reader.done("GET", f"/analyses/{line['id']}")
    asked = suite.reader.analyze(PLAN, ci=CI)
    for name in ("risk_level", "summary", "findings", "changes", "narrative", "ci", "plan_noise"):
        assert told[name] == asked[name], name
    assert SECRET not in json.dumps(told)
    [event] = suite.webhook.events(suite.sender.id)
    assert (event["event"], event["analysis_id"]) == ("webhook:delivery:handled", line["id"])
    by_webhook = next(facts for action, facts in suite.reader.audits() if action == "analyze:analysis:created")
    assert by_webhook["requested_by"] == line["requested_by"]


def test_a_bare_plan_is_taken_also_as_curl_sends_it(suite: Suite) -> None:
    suite.take_in(PLAN, content_type="application/x-www-form-urlencoded")
    suite.work()
    assert [line["risk_level"] for line in suite.analyses()] == ["critical"]


def test_what_comes_again_is_judged_once_and_an_admins_replay_once_more(suite: Suite) -> None:
    delivery_id = suite.take_in({"plan_json": PLAN})
    suite.work(times=3)
    assert len(suite.analyses()) == 1
    suite.sender.done("POST", f"/webhook-deliveries/{delivery_id}/replay", status=202)
    suite.work(times=3)
    assert len(suite.analyses()) == 2
    assert suite.shown(delivery_id)["status"] == "handled"
    assert len(suite.webhook.events(suite.sender.id)) == 2


def test_messages_that_come_many_times_at_once_make_one_analysis(suite: Suite) -> None:
    suite.take_in({"plan_json": PLAN})
    [message] = suite.webhook.waiting()
    with ThreadPoolExecutor(4) as pool:
        assert {answer.status_code for answer in pool.map(lambda _: suite.webhook.push(message), range(4))} == {204}
    [event] = suite.webhook.queue.messages("plan-events")
    with ThreadPoolExecutor(4) as pool:
        pushed = pool.map(lambda _: suite.analyze.push(event, "plan-events"), range(4))
        assert {answer.status_code for answer in pushed} == {204}
    assert len(suite.analyses()) == 1
    assert len(suite.webhook.queue.messages("plan-event-results")) == 1


@pytest.mark.parametrize(
    ("provider", "body", "code", "words"),
    [
        ("atlantis", {"event": "plan"}, "plan_unreadable", "plan"),
        ("atlantis", {"plan_json": "Plan: 1 to add, 0 to change"}, "plan_unreadable", "as people read it"),
        ("atlantis", {"plan_json": 7}, "plan_unreadable", "neither a text nor an object"),
        ("atlantis", {"plan_json": {**PLAN, "format_version": "2.0"}}, "plan_version_unsupported", "newer than 1.x"),
        ("atlantis", {"plan_json": PLAN, "ci": {"pr_number": -1}}, "invalid", "ci.pr_number"),
        ("atlantis", {"plan_json": PLAN, "ci": {"nonsense": 1}}, "invalid", "ci.nonsense"),
        ("standard", {"type": "terraform.plan"}, "plan_unreadable", "`data`"),
        ("standard", {"type": "terraform.plan", "data": {"a": "</script>"}}, "plan_unreadable", "plan"),
    ],
)  # fmt: skip
def test_what_is_no_plan_fails_with_the_readers_reason(
    suite: Suite, provider: str, body: dict[str, Any], code: str, words: str
) -> None:
    delivery_id = suite.take_in(body, provider)
    suite.work(times=2)
    found = suite.shown(delivery_id)
    assert (found["status"], found["error_code"]) == ("failed", code)
    assert words in found["error_detail"]
    assert suite.analyses() == []
    [event] = suite.webhook.events(suite.sender.id)
    assert (event["event"], event["error_code"]) == ("webhook:delivery:failed", code)


def test_another_event_is_no_plan_event(suite: Suite) -> None:
    delivery_id = suite.take_in({"type": "run.planned", "data": {"plan_json": PLAN}}, "standard")
    suite.work()
    assert suite.shown(delivery_id)["status"] == "handled"
    assert suite.webhook.queue.messages("plan-events") == []


def test_a_worker_that_dies_in_the_middle_leaves_the_plan_to_the_next_try(suite: Suite) -> None:
    delivery_id = suite.take_in({"plan_json": PLAN})
    suite.webhook.work()
    [event] = suite.webhook.queue.messages("plan-events")
    suite.webhook.vault.is_away = True
    problem(suite.analyze.push(event, "plan-events"), 503, "service_away")
    suite.webhook.vault.is_away = False
    assert suite.analyses() == []
    suite.work()
    assert (suite.shown(delivery_id)["status"], len(suite.analyses())) == ("handled", 1)


def test_a_plan_that_the_queue_gives_up_ends_its_delivery(suite: Suite) -> None:
    delivery_id = suite.take_in({"plan_json": PLAN})
    suite.webhook.work()
    [event] = suite.webhook.queue.messages("plan-events")
    pushed = suite.webhook.push(event, "webhook-dead-letters", **{DEAD_LETTER_SOURCE: "x/subscriptions/plan-events"})
    assert pushed.status_code == 204
    assert (suite.shown(delivery_id)["status"], suite.shown(delivery_id)["error_code"]) == ("failed", "given_up")


def test_a_body_that_is_gone_says_so(suite: Suite) -> None:
    delivery_id = suite.take_in({"plan_json": PLAN})
    suite.webhook.work()
    suite.webhook.database.owner.run("update webhook.deliveries_in set body_encrypted = null")
    suite.work()
    assert suite.shown(delivery_id)["error_code"] == "body_purged"


def test_another_organisations_message_reads_nothing(suite: Suite) -> None:
    delivery_id = suite.take_in({"plan_json": PLAN})
    stranger = AnalyzeOrg.make(suite.analyze)
    for payload in ({"delivery_id": delivery_id}, {"delivery_id": str(uuid4())}, {"delivery_id": "x"}, {}):
        message = Message(payload, {"event_id": "forged", "org_id": str(stranger.id)})
        assert suite.analyze.push(message, "plan-events").status_code == 204
        assert suite.webhook.push(message, "plan-event-results").status_code == 204
    assert suite.webhook.queue.messages("plan-event-results") == []
    assert stranger.done("GET", "/analyses")["items"] == []
    assert suite.shown(delivery_id)["status"] == "received"


@pytest.mark.parametrize(
    "sql",
    [
        "select content_type from webhook.deliveries_in where org_id = :org_id",
        "select id from webhook.configs where org_id = :org_id",
        "update webhook.deliveries_in set status = 'handled' where org_id = :org_id",
        "delete from webhook.deliveries_in where org_id = :org_id",
    ],
)
def test_analyze_may_do_nothing_else_with_deliveries(suite: Suite, sql: str) -> None:
    from pg8000 import native

    from tests.support.database import actor_in

    suite.take_in({"plan_json": PLAN})
    with pytest.raises(native.DatabaseError, match="42501"), suite.analyze.db.unit(actor_in(suite.sender.id)) as tx:
        tx.rows(sql)


def test_analyze_sees_no_other_organisations_deliveries(suite: Suite) -> None:
    from tests.support.database import actor_in

    delivery_id = suite.take_in({"plan_json": PLAN})
    stranger = suite.webhook.database.make_org()
    with suite.analyze.db.unit(actor_in(stranger)) as tx:
        assert tx.rows("select id from webhook.deliveries_in") == []
    with suite.analyze.db.unit(actor_in(suite.sender.id)) as tx:
        assert [row["id"] for row in tx.rows("select id from webhook.deliveries_in")] == [UUID(delivery_id)]
