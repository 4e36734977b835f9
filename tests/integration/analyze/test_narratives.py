"""Plans and drift in words: at once by template, on the queue by a model, never milder than the rules, never doubled."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from functions.analyze.handlers.narratives import TOPIC
from functions.analyze.wiring import PLATFORM_SECRET
from shared.data.model_quota import take_model_call
from shared.security.actor import Actor, Role
from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.database import ClonedDatabase
from tests.support.model_server import model_server

from .test_analyses import DATABASE_GOES, QUIET, drift, plan_of
from .test_llm_config import explaining, org_beside

HOUR = timedelta(hours=1)


def asked(org: AnalyzeOrg, item: str, status: int) -> dict[str, Any]:
    """Ask for a drift's narrative."""
    found: dict[str, Any] = org.done("GET", f"/drift/{item}/narrative", status=status, role="viewer")
    return found


def open_group(org: AnalyzeOrg, **values: Any) -> str:
    """Put a security group that somebody opened into the database; returns the item's id."""
    rule = [{"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}]
    return drift(
        org, type="aws_security_group", address="aws_security_group.web", path="ingress", **{"before": [], "after": rule, **values}
    )  # fmt: skip


def work(function: AnalyzeFunction) -> int:
    """Let the worker do what is on the queue; returns how many messages there were."""
    messages = function.queue.messages(TOPIC)
    for message in messages:
        assert function.push(message, TOPIC).status_code == 204
    return len(messages)


def test_without_a_model_a_plans_narrative_is_complete(org: AnalyzeOrg) -> None:
    told = org.analyze(plan_of(DATABASE_GOES, QUIET))["narrative"]
    assert (told["level"], told["source"], told["note"]) == ("critical", "template", "")
    assert told["headline"].startswith("This plan's risk is critical")
    assert [item["address"] for item in told["explanations"]] == ["aws_db_instance.main"]
    for item in told["explanations"]:
        assert item["why"]["text"]
        assert item["action"] != item["why"]


def test_a_drift_is_told_at_once_and_kept_once_it_is_written(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    item = open_group(org)
    pending = asked(org, item, 202)
    assert (pending["status"], pending["narrative"]["level"]) == ("pending", "critical")
    assert work(function) == 1
    done = asked(org, item, 200)
    assert (done["status"], done["drift_id"]) == ("done", item)
    assert done["narrative"]["headline"].startswith("This drift's risk is critical")
    assert done["narrative"]["headline"] == pending["narrative"]["headline"]
    assert len(function.queue.messages(TOPIC)) == 1


def test_many_who_ask_make_one_message_until_it_is_lost(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    item = open_group(org)
    for _ in range(3):
        asked(org, item, 202)
    assert len(function.queue.messages(TOPIC)) == 1
    function.clock.advance(601)
    asked(org, item, 202)
    assert len(function.queue.messages(TOPIC)) == 2
    assert work(function) == 2, "the second message finds the work done"
    assert asked(org, item, 200)["status"] == "done"


def test_what_changed_since_is_told_anew(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    item = open_group(org)
    asked(org, item, 202)
    run = function.database.owner.run
    run("update scan.drift_items set after = cast('[]' as jsonb), before = cast('[1]' as jsonb)")
    work(function)
    assert asked(org, item, 202)["status"] == "pending", "the words about the older difference are not shown"
    work(function)
    assert asked(org, item, 200)["status"] == "done"


def test_words_are_never_milder_than_the_comparison(org: AnalyzeOrg) -> None:
    item = drift(org, type="aws_sqs_queue", address="aws_sqs_queue.jobs", path="tags.team", before="a", after="b")
    org.function.database.owner.run("update scan.drift_items set severity = 'high'")
    told = asked(org, item, 202)["narrative"]
    assert (told["level"], told["explanations"][0]["severity"]) == ("high", "high")


def test_a_sensitive_drift_is_told_without_its_digests(org: AnalyzeOrg) -> None:
    digests = {"before": {"digest": "aaaa1111"}, "after": {"digest": "bbbb2222"}}
    item = drift(org, type="aws_db_instance", address="aws_db_instance.main", path="password", **digests)
    org.function.database.owner.run("update scan.drift_items set is_sensitive = true")
    text = json.dumps(asked(org, item, 202))
    assert "aaaa1111" not in text
    assert "bbbb2222" not in text


def test_the_drift_of_others_and_what_is_no_drift_are_not_there(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    item = open_group(AnalyzeOrg.make(function))
    org.refused("GET", f"/drift/{item}/narrative", None, 404, "not_found")
    org.refused("GET", "/drift/x/narrative", None, 404, "not_found")
    assert function.queue.messages(TOPIC) == []


def test_a_drift_is_told_by_the_platforms_model_as_often_as_the_organisations_plan_allows(
    database: ClonedDatabase,
) -> None:
    with model_server(explaining()) as server:
        org = org_beside(
            database, server, "team",
            llm_provider="openai_compatible", llm_model="ours", llm_endpoint=f"{server.url}/v1",
        )  # fmt: skip
        org.function.world.secrets.add_version(PLATFORM_SECRET, b"sk-the-platforms-own")
        asker = Actor("human", "00000000-0000-7000-8000-000000000001", org_id=org.id, role=Role.ADMIN, plan="team")
        for _ in range(6):
            with org.function.db.unit(asker) as tx:
                take_model_call(tx, "team", now=org.function.clock.now())
        item = open_group(org)
        asked(org, item, 202)
        work(org.function)
        assert asked(org, item, 200)["narrative"]["source"] == "platform", (
            "six calls a week are too many for the free plan only"
        )
