"""Plan noise over the wire: how it is treated, what was seen how often, what is suppressed until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from functions.analyze.domain.plan_noise import NoiseKey
from functions.analyze.queries import noise as queries
from functions.analyze.queries.rulebook import load_rulebook
from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.database import actor_in

TAGS = NoiseKey("aws_sqs_queue", "aws_sqs_queue.jobs", "tags", "null and empty are the same")
POLICY = NoiseKey("aws_s3_bucket_policy", "aws_s3_bucket_policy.logs", "policy", "JSON in another spelling")


def see(org: AnalyzeOrg, *keys: NoiseKey) -> None:
    with org.function.db.unit(actor_in(org.id)) as tx:
        queries.record_seen(tx, keys, now=org.function.clock.now())


def suppress(org: AnalyzeOrg, attribute: str = "tags", status: int = 201, **more: Any) -> Any:
    body = {"attribute": attribute, "reason": "the provider's own", **more}
    return org.done("POST", "/plan-noise/suppress", body, status, role="admin")


def noise(org: AnalyzeOrg, query: str = "") -> Any:
    return org.done("GET", f"/plan-noise{query}", role="viewer")


def test_the_defaults_hold_until_somebody_says_otherwise(org: AnalyzeOrg) -> None:
    defaults = {"is_enabled": True, "times": 3, "days": 30, "hides_recurring": False, "changed_at": None}
    assert noise(org) == {"settings": defaults, "suppressions": [], "items": [], "next_cursor": None}
    wish = {"is_enabled": True, "times": 5, "days": 7, "hides_recurring": True}
    put = org.done("PUT", "/plan-noise/settings", wish, role="admin")
    assert {name: put[name] for name in wish} == wish
    assert noise(org)["settings"] == put
    assert org.audits() == [("analyze:plan_noise:settings_changed", wish)]


def test_settings_are_bounded(org: AnalyzeOrg) -> None:
    for wrong in (
        {"times": 0},
        {"times": 21},
        {"days": 0},
        {"days": 91},
        {"times": True},
        {"is_enabled": "yes"},
        {"more": 1},
    ):
        org.refused("PUT", "/plan-noise/settings", wrong, 422, "invalid", role="admin")
    org.refused("PUT", "/plan-noise/settings", {}, 403, "role_required", role="member")


def test_what_was_seen_is_counted_and_told(org: AnalyzeOrg) -> None:
    first = org.function.clock.now()
    see(org, TAGS, POLICY)
    org.function.clock.advance(timedelta(days=1).total_seconds())
    see(org, TAGS)
    found = {item["attribute"]: item for item in noise(org)["items"]}
    assert (found["tags"]["times"], found["policy"]["times"]) == (2, 1)
    assert (found["tags"]["type"], found["tags"]["address"], found["tags"]["rule"]) == (
        TAGS.type,
        TAGS.address,
        TAGS.reason,
    )
    assert found["tags"]["first_seen_at"] == first.isoformat().replace("+00:00", "Z")
    assert found["tags"]["last_seen_at"] > found["tags"]["first_seen_at"]
    assert not found["tags"]["is_recurring"]
    assert [item["attribute"] for item in noise(org, "?type=aws_s3_bucket_policy")["items"]] == ["policy"]
    page = noise(org, "?limit=1")
    assert len(noise(org, f"?limit=1&cursor={page['next_cursor']}")["items"]) == 1


def test_noise_recurs_when_it_was_seen_often_enough_within_the_days(org: AnalyzeOrg) -> None:
    org.done("PUT", "/plan-noise/settings", {"times": 3, "days": 10}, role="admin")

    def is_recurring() -> bool:
        with org.function.db.unit(actor_in(org.id)) as tx:
            read = load_rulebook(tx, org.function.clock.now()).recurring
        (item,) = noise(org)["items"]
        assert item["is_recurring"] == (TAGS in read), "the list and the rulebook agree"
        return TAGS in read

    told = []
    for days in (0, 6, 6, 3):  # the first and the third are too far apart; the second to the fourth are not
        org.function.clock.advance(timedelta(days=days).total_seconds())
        see(org, TAGS)
        told.append(is_recurring())
    assert told == [False, False, False, True]
    org.function.clock.advance(timedelta(days=10).total_seconds())
    assert not is_recurring(), "it was not seen for long"
    org.done("PUT", "/plan-noise/settings", {"times": 1, "days": 30, "is_enabled": False}, role="admin")
    assert not is_recurring(), "noise is off"


def test_only_the_last_times_are_remembered_and_what_is_old_is_forgotten(org: AnalyzeOrg) -> None:
    for _ in range(25):
        see(org, TAGS)
    (row,) = org.function.database.owner.run("select times, cardinality(recent_at) from analysis.noise_seen")
    assert row == [25, 20]
    org.function.clock.advance(timedelta(days=91).total_seconds())
    see(org, POLICY)
    assert [item["attribute"] for item in noise(org)["items"]] == ["policy"]


def test_the_store_has_an_end(org: AnalyzeOrg, monkeypatch: Any) -> None:
    monkeypatch.setattr(queries, "MOST_SEEN", 5)
    for number in range(8):
        org.function.clock.advance(timedelta(seconds=1).total_seconds())
        see(org, NoiseKey("aws_x", f"aws_x.n{number}", "tags", "r"))
    assert {item["address"] for item in noise(org)["items"]} == {f"aws_x.n{number}" for number in range(3, 8)}


def test_two_analyses_at_once_do_not_wait_for_each_other_in_a_circle(org: AnalyzeOrg) -> None:
    see(org, TAGS, POLICY)
    org.function.clock.advance(timedelta(days=91).total_seconds())
    now = org.function.clock.now()
    with org.function.db.unit(actor_in(org.id)) as first:
        queries.record_seen(first, [TAGS], now=now)  # forgets the other one
        with org.function.db.unit(actor_in(org.id)) as second:
            queries.record_seen(
                second, [NoiseKey("aws_x", "aws_x.new", "tags", "r")], now=now
            )  # holds neither, and passes
    assert {item["address"] for item in noise(org)["items"]} == {TAGS.address, "aws_x.new"}


def test_long_names_are_cut_and_still_told_apart(org: AnalyzeOrg) -> None:
    see(org, *[NoiseKey("t" * 300, "a" * 1_500 + end, "b" * 300, "r") for end in "xy"])
    see(org, NoiseKey("t" * 300, "a" * 1_500 + "x", "b" * 300, "r"))
    assert sorted(item["times"] for item in noise(org)["items"]) == [1, 2]


def test_a_suppression_is_told_with_its_end_and_ended(org: AnalyzeOrg) -> None:
    see(org, TAGS, POLICY)
    ends_at = org.function.clock.now() + timedelta(days=2)
    made = suppress(org, "t*", type="aws_sqs_*", address="aws_sqs_queue.*", expires_at=ends_at.isoformat())
    found = noise(org)
    assert found["suppressions"] == [made]
    told = {item["attribute"]: (item["suppressed_by"], item["suppressed_until"]) for item in found["items"]}
    assert told == {"tags": (made["id"], made["expires_at"]), "policy": (None, None)}
    org.function.clock.advance(timedelta(days=2).total_seconds())
    assert noise(org)["suppressions"] == []
    forever = suppress(org)
    assert org.function.database.owner.run("select count(*) from analysis.noise_suppressions") == [[1]], (
        "the old one is gone"
    )
    org.done("DELETE", f"/plan-noise/suppress/{forever['id']}", status=204, role="admin")
    org.refused("DELETE", f"/plan-noise/suppress/{forever['id']}", None, 404, "not_found", role="admin")
    assert [action for action, _ in org.audits()] == [
        "analyze:plan_noise:suppressed", "analyze:plan_noise:suppressed", "analyze:plan_noise:shown_again",
    ]  # fmt: skip


def test_what_is_wrong_with_a_suppression_is_named(org: AnalyzeOrg) -> None:
    now = org.function.clock.now()
    for wrong, field in (
        ({"attribute": ""}, "attribute"), ({"attribute": "*a" * 7}, "attribute"), ({"type": "x" * 201}, "type"), ({"address": ""}, "address"),
        ({"reason": ""}, "reason"), ({"expires_at": now.isoformat()}, "expires_at"), ({"expires_at": "2026-01-01T00:00:00"}, "expires_at"),
        ({"more": 1}, "more"),
    ):  # fmt: skip
        body = {"attribute": "tags", "reason": "x", **wrong}
        problem = org.refused("POST", "/plan-noise/suppress", body, 422, "invalid", role="admin")
        assert [item["field"] for item in problem["errors"]] == [field], wrong
    org.refused("POST", "/plan-noise/suppress", {"attribute": "a", "reason": "x"}, 403, "role_required", role="member")


def test_there_is_an_end_to_suppressions(org: AnalyzeOrg) -> None:
    org.function.database.owner.run(
        "insert into analysis.noise_suppressions (org_id, attribute_pattern, reason, created_by, created_at) "
        "select :org_id, 'a', 'r', 'x', now() from generate_series(1, 200)",
        org_id=org.id,
    )
    body = {"attribute": "tags", "reason": "x"}
    assert org.refused("POST", "/plan-noise/suppress", body, 409, "too_many_suppressions", role="admin")["cap"] == 200


def test_organisations_do_not_meet(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    other = AnalyzeOrg.make(function)
    see(org, TAGS)
    made = suppress(org)
    org.done("PUT", "/plan-noise/settings", {"times": 1}, role="admin")
    assert noise(other)["settings"]["changed_at"] is None
    assert (noise(other)["items"], noise(other)["suppressions"]) == ([], [])
    other.refused("DELETE", f"/plan-noise/suppress/{made['id']}", None, 404, "not_found", role="admin")
    see(other, TAGS)
    assert noise(org)["items"][0]["times"] == 1
