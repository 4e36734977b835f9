"""What changes by itself is folded; what somebody decided is not, under the same name or the next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from functions.scan.domain.baseline import document_changes
from functions.scan.domain.documents import canonical_document
from functions.scan.domain.sealing import Sealer
from functions.scan.domain.volatile import RULES
from shared.ports.secret_store import Secret

SEAL = Sealer([(1, Secret(b"k" * 32))], UUID(int=1))
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)

# rule -> (two documents that only time tells apart, two that somebody made different, with the paths that show it)
LAWS: dict[str, list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], list[str]]]] = {
    "times": [
        ({"LatestRestorableTime": EARLY}, {"LatestRestorableTime": LATE},
         {"ScheduledStartTime": EARLY}, {"ScheduledStartTime": LATE}, ["ScheduledStartTime"]),
        ({"updatedAt": "2026-01-01T00:00:00Z"}, {"updatedAt": "2026-02-01T00:00:00Z"},
         {"ValidUntil": "2026-01-01T00:00:00Z"}, {"ValidUntil": "2026-02-01T00:00:00Z"}, ["ValidUntil"]),
    ],
    "traces-of-use": [
        ({"RoleLastUsed": {"Region": "eu-west-1"}}, {"RoleLastUsed": {"Region": "eu-west-2"}},
         {"LastResort": "a"}, {"LastResort": "b"}, ["LastResort"]),
    ],
    "runtime-states": [
        ({"DBInstanceStatus": "available"}, {"DBInstanceStatus": "backing-up"},
         {"Status": "Enabled"}, {"Status": "Suspended"}, ["Status"]),
        ({"State": {"Code": 16, "Name": "running"}}, {"State": {"Code": 80, "Name": "stopped"}},
         {"Status": "Active"}, {"Status": "Inactive"}, ["Status"]),
        ({"StateReason": {"Code": "x"}}, {"StateReason": {"Code": "y"}},
         {"KeyState": "Enabled"}, {"KeyState": "PendingDeletion"}, ["KeyState"]),
    ],
    "counters": [
        ({"AvailableIpAddressCount": 250}, {"AvailableIpAddressCount": 249},
         {"DesiredCount": 2}, {"DesiredCount": 3}, ["DesiredCount"]),
        ({"TableSizeBytes": 1}, {"TableSizeBytes": 2}, {"AllocatedStorage": 20}, {"AllocatedStorage": 30}, ["AllocatedStorage"]),
    ],
    "revisions": [
        ({"ETag": "a"}, {"ETag": "b"}, {"EngineVersion": "13.4"}, {"EngineVersion": "14.1"}, ["EngineVersion"]),
    ],
    "back-references": [
        ({"LoadBalancerArns": ["a"]}, {"LoadBalancerArns": ["a", "b"]},
         {"SecurityGroups": ["a"]}, {"SecurityGroups": ["a", "b"]}, ["SecurityGroups"]),
    ],
    "progress": [
        ({"PendingModifiedValues": {"Iops": 3}}, {"PendingModifiedValues": {}},
         {"Iops": 3}, {"Iops": 4}, ["Iops"]),
    ],
}  # fmt: skip
CASES = [(rule, *case) for rule, cases in LAWS.items() for case in cases]


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the paths that differ between two replies, as they are remembered."""
    one, other = (canonical_document("aws_thing", side, seal=SEAL) for side in (before, after))
    return [change.path for change in document_changes(one, other)]


def test_every_rule_has_its_laws() -> None:
    assert set(LAWS) == {rule.id for rule in RULES}


@pytest.mark.parametrize(("rule", "before", "after", "was", "now", "paths"), CASES)
def test_a_rule_folds_what_changes_by_itself_and_shows_what_somebody_changed(
    rule: str, before: dict[str, Any], after: dict[str, Any], was: dict[str, Any], now: dict[str, Any], paths: list[str]
) -> None:
    chosen = next(item for item in RULES if item.id == rule)
    assert any(chosen.applies(name, value) for name, value in before.items()), (
        "the rule does not speak about its own case"
    )
    assert differing(before, after) == []
    assert differing({"Deep": [before]}, {"Deep": [after]}) == []
    assert differing(was, now) == paths


@pytest.mark.parametrize(("rule", "before", "after", "was", "now", "paths"), CASES)
@pytest.mark.parametrize("name", ["Tags", "Variables", "labels", "Parameters"])
def test_nothing_is_folded_in_maps_with_free_names(
    name: str,
    rule: str,
    before: dict[str, Any],
    after: dict[str, Any],
    was: dict[str, Any],
    now: dict[str, Any],
    paths: list[str],
) -> None:
    assert differing({name: before}, {name: after}) != [], rule


def test_a_switch_that_is_off_may_be_left_out_and_one_that_is_on_may_not() -> None:
    assert differing({"Encrypted": False}, {}) == []
    assert differing({"Encrypted": True}, {}) == ["Encrypted"]
    assert differing({}, {"Encrypted": True}) == ["Encrypted"]
    assert differing({"Port": 0}, {}) == ["Port"]


def test_items_are_matched_by_what_identifies_them_and_not_by_their_place() -> None:
    one, other = {"Id": "a", "Size": 1}, {"Id": "b", "Size": 2}
    assert differing({"Disks": [one, other]}, {"Disks": [other, one]}) == []
    assert differing({"Disks": [one, other]}, {"Disks": [{"Id": "b", "Size": 3}, one]}) == ["Disks[b].Size"]
    assert differing({"Disks": [one]}, {"Disks": [one, other]}) == ["Disks[b]"]


def test_the_order_of_a_set_says_nothing_and_the_order_of_a_command_does() -> None:
    assert differing({"Groups": ["a", "b"]}, {"Groups": ["b", "a"]}) == []
    assert differing({"Command": ["rm", "x"]}, {"Command": ["x", "rm"]}) == ["Command"]


def test_pairs_are_a_map() -> None:
    before = {"Tags": [{"Key": "Owner", "Value": "a"}, {"Key": "Team", "Value": "x"}]}
    after = {"Tags": [{"Key": "Team", "Value": "x"}, {"Key": "Owner", "Value": "b"}]}
    assert differing(before, after) == ["Tags.Owner"]


def test_tags_that_aws_sets_by_itself_say_nothing_and_all_others_do() -> None:
    for spell in (
        lambda tags: {"Tags": tags},
        lambda tags: {"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]},
    ):
        assert differing(spell({"aws:backup:source": "a", "x": "1"}), spell({"aws:backup:source": "b", "x": "1"})) == []
        assert differing(spell({"backup": "a", "x": "1"}), spell({"backup": "b", "x": "1"})) != []
    assert differing({"Variables": {"aws:x": "a"}}, {"Variables": {"aws:x": "b"}}) != []


def test_a_policy_is_compared_by_what_it_says() -> None:
    before = {"Policy": '{"Statement": [{"Effect": "Allow", "Action": ["a", "b"]}]}'}
    assert differing(before, {"Policy": '{"Statement":[{"Action":["b","a"],"Effect":"Allow"}]}'}) == []
    wider = {"Policy": '{"Statement": [{"Effect": "Allow", "Action": ["a", "b", "*"]}]}'}
    assert differing(before, wider) != []
