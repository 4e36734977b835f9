"""The second detector: when a baseline is taken, what is told against it, and what never leaves it in clear text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.scan.domain.baseline import Observed, Remembered, document_changes, judge
from functions.scan.domain.baseline_records import document_row, drift_of
from functions.scan.domain.difference import Change
from functions.scan.domain.documents import MOST_BYTES, canonical_document, document_hash, fingerprint
from functions.scan.domain.records import drift_row
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.sealing import Sealer, is_sealed
from functions.scan.domain.traced import Traced
from shared.ports.secret_store import Secret

ORG = UUID(int=1)
SEAL = Sealer([(1, Secret(b"k" * 32))], ORG)
ROTATED = Sealer([(2, Secret(b"l" * 32)), (1, Secret(b"k" * 32))], ORG)
READ = datetime(2026, 5, 1, 12, tzinfo=UTC)
SAID = fingerprint("aws_thing", {"name": "x"}, (), SEAL)


def observed(document: dict[str, Any], **members: Any) -> Observed:
    values: dict[str, Any] = {
        "declared": [SAID],
        "covered": frozenset(),
        "declared_at": READ - timedelta(days=1),
        "source": "botocore 1",
    } | members
    return Observed("aws_thing", canonical_document("aws_thing", document, seal=SEAL), read_at=READ, **values)


def remembered(document: dict[str, Any], **members: Any) -> Remembered:
    values: dict[str, Any] = {"source": "botocore 1", "declared": [SAID]} | members
    return Remembered(canonical_document("aws_thing", document, seal=SEAL), **values)


def paths(*found: Any, **members: Any) -> list[str]:
    return [change.path for change in judge(*found, **members).changes]


def test_the_first_document_is_taken_silently() -> None:
    judgement = judge(observed({"Size": 1}), None)
    assert (judgement.decision, judgement.changes) == ("take", ())


def test_a_change_is_told_with_before_and_after_until_it_is_gone() -> None:
    assert judge(observed({"Size": 2}), remembered({"Size": 1})).changes == (Change("Size", 1, 2),)
    assert judge(observed({"Size": 1}), remembered({"Size": 1})).changes == ()


def test_a_state_that_changed_the_resource_takes_the_baseline_anew() -> None:
    said = fingerprint("aws_thing", {"name": "y"}, (), SEAL)
    judgement = judge(observed({"Size": 2}, declared=[said]), remembered({"Size": 1}))
    assert (judgement.decision, judgement.changes) == ("take", ())


def test_a_document_that_is_older_than_the_state_is_no_measure() -> None:
    late = observed(
        {"Size": 2},
        declared=[fingerprint("aws_thing", {"name": "y"}, (), SEAL)],
        declared_at=READ + timedelta(seconds=1),
    )
    assert judge(late, remembered({"Size": 1})).decision == "wait"
    assert judge(late, None).decision == "wait"


def test_a_refresh_of_what_changes_by_itself_is_no_change_of_the_state() -> None:
    one = fingerprint(
        "aws_db", {"name": "x", "latest_restorable_time": "2026-01-01T00:00:00Z", "timeouts": None}, (), SEAL
    )
    other = fingerprint("aws_db", {"name": "x", "latest_restorable_time": "2026-02-01T00:00:00Z"}, (), ROTATED)
    assert paths(observed({"Size": 2}, declared=[other]), remembered({"Size": 1}, declared=[one])) == ["Size"]


def test_an_unmapped_attribute_of_the_state_counts() -> None:
    one, other = (fingerprint("aws_thing", {"name": "x", "unmapped": value}, (), SEAL) for value in (1, 2))
    assert judge(observed({}, declared=[other]), remembered({"Size": 1}, declared=[one])).decision == "take"


def test_fingerprints_without_a_key_in_common_take_the_baseline_anew() -> None:
    other = fingerprint("aws_thing", {"name": "x"}, (), Sealer([(3, Secret(b"m" * 32))], ORG))
    assert judge(observed({"Size": 2}, declared=[other]), remembered({"Size": 1})).decision == "take"


def test_what_the_first_detector_compares_is_left_to_it() -> None:
    covered = frozenset({"Disks.Size", "Name"})
    before = remembered({"Name": "a", "Disks": [{"Id": "d", "Size": 1, "Iops": 1}]})
    after = observed({"Name": "b", "Disks": [{"Id": "d", "Size": 2, "Iops": 2}]}, covered=covered)
    assert paths(after, before) == ["Disks[d].Iops"]


def test_an_item_of_which_the_first_detector_compares_everything_is_left_to_it() -> None:
    covered = frozenset({"Routes.To", "Routes.Via", "Groups.GroupId"})
    before = remembered({"Routes": [{"To": "a", "Via": "x"}], "Groups": [{"GroupId": "g", "Status": "active"}]})
    after = observed({"Routes": [{"To": "a", "Via": "y"}, {"To": "b", "Via": "x"}], "Groups": []}, covered=covered)
    assert paths(after, before) == []
    noted = [{"GroupId": "g", "Note": note} for note in ("x", "y")]
    told = paths(observed({"Groups": [noted[1]]}, covered=covered), remembered({"Groups": [noted[0]]}))
    assert told == ["Groups[g].Note"]


def test_what_was_covered_then_and_is_not_now_is_left_to_it_too() -> None:
    before = remembered({"Rotation": {"Days": 3}}, covered=frozenset({"Rotation.Days"}))
    assert paths(observed({}), before) == []


@pytest.mark.parametrize(
    "reported",
    [
        Change("visibility_timeout_seconds", "30", "45"),
        Change("timeout", 30, 45),
        Change("visibility_timeout", None, None),
    ],
)
def test_what_the_first_detector_reports_is_not_reported_twice(reported: Change) -> None:
    before, after = (
        remembered({"VisibilityTimeout": "30", "Other": 1}),
        observed({"VisibilityTimeout": "45", "Other": 2}),
    )
    assert paths(after, before, reported=[reported]) == ["Other"]


def test_a_newer_client_tells_more_and_nobody_changed_anything() -> None:
    newer = observed({"Size": 1, "Brand": "new"}, source="botocore 2")
    assert judge(newer, remembered({"Size": 1})).decision == "take"
    assert paths(replace(newer, source="botocore 1"), remembered({"Size": 1})) == ["Brand"]
    changed = observed({"Size": 2, "Brand": "new"}, source="botocore 2")
    assert paths(changed, remembered({"Size": 1})) == ["Size"]


SECRETS: list[dict[str, Any]] = [
    {"MasterUserPassword": "hunter2"},
    {"Environment": {"Variables": {"ANY": "hunter2"}}},
    {"containerDefinitions": [{"name": "a", "environment": [{"name": "ANY", "value": "hunter2"}]}]},
    {"environment": {"environmentVariables": [{"name": "ANY", "value": "hunter2", "type": "PLAINTEXT"}]}},
    {"UserData": "hunter2"},
    {"Parameters": {"DbPassword": "hunter2"}},
    {"Properties": '{"Connection": {"clientSecret": "hunter2"}}'},
    {"Blob": b"hunter2"},
    {"Note": "postgres://user:hunter2@db.example/x"},
]


@pytest.mark.parametrize("document", SECRETS)
def test_secrets_are_remembered_only_as_digests_and_a_change_of_one_is_seen(document: dict[str, Any]) -> None:
    kept = canonical_document("aws_thing", document, seal=SEAL)
    assert "hunter2" not in json.dumps(kept)
    turned: Any = (
        {"Blob": b"other2!"} if "Blob" in document else json.loads(json.dumps(document).replace("hunter2", "other2!"))
    )
    (change,) = document_changes(kept, canonical_document("aws_thing", turned, seal=SEAL))
    row = drift_row(drift_of({**ROW, "document": {}}, change))
    assert (row["is_sensitive"], row["before"], row["after"]) == (True, None, None)


ROW: dict[str, Any] = {
    "type": "aws_thing",
    "key": "k",
    "address": "aws_thing.a",
    "cloud_id": "k",
    "region": "eu-west-1",
}


def test_what_a_state_marks_is_a_secret_under_the_clouds_name_too() -> None:
    kept = canonical_document("aws_thing", {"AdminNote": "hunter2", "Size": 1}, hidden={"admin_note"}, seal=SEAL)
    assert is_sealed(kept["AdminNote"])
    assert kept["Size"] == 1


def test_what_speaks_about_a_secret_stays_readable() -> None:
    document = {
        "MasterUserSecret": {"SecretArn": "arn:x"},
        "SecretArn": "arn:x",
        "PasswordRotationDays": 3,
        "KmsKeyId": "k",
    }
    kept = canonical_document("aws_thing", document, seal=SEAL)
    assert kept["SecretArn"] == "arn:x"
    assert kept["PasswordRotationDays"] == 3
    assert kept["KmsKeyId"] == "k"


def test_a_rotation_of_the_key_changes_nothing_and_hides_nothing() -> None:
    document = {"Password": "hunter2"}
    after = canonical_document("aws_thing", document, seal=ROTATED)
    assert document_hash(after) != document_hash(canonical_document("aws_thing", document, seal=SEAL))
    before = remembered(document)
    judgement = judge(replace(observed({}), document=after), before)
    assert (judgement.decision, judgement.changes) == ("take", ()), "it is remembered under the new version"
    other = canonical_document("aws_thing", {"Password": "other"}, seal=ROTATED)
    assert paths(replace(observed({}), document=other), before) == ["Password"]


def test_a_large_document_is_bounded_and_a_change_within_it_is_still_seen() -> None:
    large = {"Small": 1, "Large": {str(number): "x" * 90 for number in range(2000)}}
    kept = canonical_document("aws_thing", large, seal=SEAL)
    assert len(json.dumps(kept)) <= MOST_BYTES
    assert kept["Small"] == 1
    large["Large"]["7"] = "y"  # type: ignore[index]  # the map above
    assert [change.path for change in document_changes(kept, canonical_document("aws_thing", large, seal=SEAL))] == [
        "Large"
    ]


def test_many_changes_are_told_by_their_top_level_members() -> None:
    before, after = ({"All": {str(number): value for number in range(80)}, "One": 1} for value in (1, 2))
    assert [change.path for change in document_changes(before, after)] == ["All"]


def test_canonical_form_is_stable() -> None:
    document = {
        "Tags": [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}],
        "Groups": ["b", "a"],
        "At": READ,
        "Rate": 1.0,
    }
    once = canonical_document("aws_thing", document, seal=SEAL)
    assert canonical_document("aws_thing", once, seal=SEAL) == once == {
        "Tags": {"a": "2", "b": "1"}, "Groups": ["a", "b"], "At": READ.isoformat(), "Rate": 1,
    }  # fmt: skip


def test_a_reader_leaves_behind_what_it_read() -> None:
    reply = Traced(
        {"Id": "i", "Size": 1, "Disk": {"Iops": 3, "Type": "x"}, "Tags": [{"Key": "a", "Value": "b"}], "New": 1},
        "botocore 1",
    )
    attributes = {"size": reply["Size"], "iops": reply.get("Disk", {}).get("Iops"), "gone": reply.get("Gone")}
    tags = {item["Key"]: item.get("Value") for item in reply.get("Tags") or ()}
    row = document_row(
        LiveResource("aws_thing", "i", "eu-west-1", attributes, "i", tags=tags, document=reply), {}, SEAL
    )
    assert row is not None
    assert row["covered"] == ["Disk.Iops", "Gone", "Size", "Tags", "Tags.Key", "Tags.Value"]
    assert row["document"] == {"Id": "i", "Size": 1, "Disk": {"Iops": 3, "Type": "x"}, "Tags": {"a": "b"}, "New": 1}


def test_severity_knows_the_clouds_names() -> None:
    protection = drift_row(drift_of(ROW, Change("DeletionProtection", True, None)))
    assert (protection["severity"], protection["rule"]) == ("high", "protection-changed")
    tag = drift_row(drift_of(ROW, Change("Tags.Owner", "a", "b")))
    assert (tag["severity"], tag["rule"]) == ("low", "tags-changed")
    plain = drift_row(drift_of(ROW, Change("Iops", 1, 2)))
    assert (plain["severity"], plain["rule"], plain["detector"]) == ("medium", "baseline-change", "baseline")
