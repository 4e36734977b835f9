"""ListAssets: pages, quotas, patience, refusals; what fails is told by name and stops nothing else."""

from __future__ import annotations

import json
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.scan.domain.comparison import Tally
from functions.scan.domain.resources import LiveResource, NotChecked
from functions.scan.readers.gcp.http import GuardedGoogle
from functions.scan.readers.gcp.inventory import CALLS_PER_MINUTE, PAGE_SIZE, Failed, Inventory
from functions.scan.readers.gcp.reading import GENERIC, read_all
from functions.scan.types.gcp import specs
from shared.ports.clock import Clock
from shared.ports.secret_store import Secret
from shared.security.egress import EgressGuard, EgressResponse, EgressTimeout
from tests.support.google_assets import (
    NUMBER,
    READ_AT,
    FakeGoogle,
    Reply,
    Waits,
    declared,
    drift,
    error,
    everything,
    examples,
    policy,
    wrapped,
)

PARENT = "projects/shop-prod"


def inventory(google: FakeGoogle, waits: Waits | None = None, parent: str = PARENT) -> Inventory:
    return Inventory(google, cast("Clock", waits or Waits()), parent)


def not_checked(google: FakeGoogle) -> list[NotChecked]:
    return [one for one in read_all(inventory(google)) if isinstance(one, NotChecked)]


def many(count: int) -> list[dict[str, Any]]:
    return [
        wrapped(
            {
                "assetType": "pubsub.googleapis.com/Topic",
                "name": f"//pubsub.googleapis.com/projects/shop-prod/topics/t{n}",
                "data": {"name": f"t{n}"},
            }
        )
        for n in range(count)
    ]


def test_a_whole_project_that_was_just_applied_does_not_drift() -> None:
    state = declared(*((one.type, one.state) for one in examples()))
    tally = Tally()
    found = drift(state, read_all(inventory(FakeGoogle(list(everything())))), tally)
    assert [one for one in found if one.kind != "unmanaged"] == []
    assert {one.type for one in found} <= {"google_compute_router"}  # the one that the gateway's example needs
    assert tally.in_sync == len(examples())
    assert tally.uncovered == {}


def test_types_that_may_not_be_listed_at_all_are_missed_only_beside_others_of_their_kind() -> None:
    record = next(one for one in examples() if one.type == "google_dns_record_set")
    network = next(one for one in examples() if one.type == "google_compute_network")
    state = declared((record.type, record.state), (network.type, network.state))
    found = drift(state, read_all(inventory(FakeGoogle(many(1)))))
    assert [one.type for one in found if one.kind == "missing"] == ["google_compute_network"]
    other = json.loads(json.dumps(record.asset).replace("www.", "old."))
    zone = next(one for one in examples() if one.type == "google_dns_managed_zone")
    found = drift(state, read_all(inventory(FakeGoogle([zone.asset, other]))))
    assert {one.type for one in found if one.kind == "missing"} == {"google_dns_record_set", "google_compute_network"}


def test_every_call_asks_for_as_much_as_it_may_and_of_one_snapshot() -> None:
    google = FakeGoogle(many(2500))
    found = [one for one in read_all(inventory(google)) if isinstance(one, LiveResource)]
    assert len(found) == 2500
    queries = [parse_qs(urlsplit(url).query) for url in google.urls]
    assert all(query["pageSize"] == [str(PAGE_SIZE)] for query in queries)
    assert [query["contentType"][0] for query in queries] == ["RESOURCE"] * 4 + ["IAM_POLICY"]
    assert "readTime" not in queries[0]
    assert all(query["readTime"] == [READ_AT] for query in queries[1:])
    assert [query.get("pageToken") for query in queries[1:4]] == [None, ["1000"], ["2000"]]
    assert urlsplit(google.urls[0]).path == f"/v1/{PARENT}/assets"


def test_a_hundred_thousand_assets_are_read_within_the_quota() -> None:
    waits = Waits()
    google = Endless(json.dumps(many(PAGE_SIZE)).encode(), 100, waits)
    count = sum(
        len(page.assets) for page in Inventory(google, cast("Clock", waits), "organizations/42").pages("RESOURCE")
    )
    assert count == 100_000
    times = google.times
    within = max(sum(1 for other in times if at <= other < at + 60) for at in times)
    assert within <= 100, "more calls in one minute than a project may make"
    assert waits.seconds <= 100 / CALLS_PER_MINUTE * 60, "slower than the quota asks for"


class Endless:
    """So many pages of the same assets; notes when each was asked for."""

    def __init__(self, assets: bytes, pages: int, waits: Waits) -> None:
        self.assets = assets
        self.pages = pages
        self.times: list[float] = []
        self.waits = waits

    def get(self, url: str) -> Reply:
        page = int(parse_qs(urlsplit(url).query).get("pageToken", ["0"])[0]) + 1
        self.times.append(self.waits.seconds)
        token = f'"nextPageToken":"{page}",' if page < self.pages else ""
        return Reply(
            200, b'{"readTime":"' + READ_AT.encode() + b'",' + token.encode() + b'"assets":' + self.assets + b"}"
        )


def test_a_busy_google_is_waited_for_as_long_as_it_asks() -> None:
    waits = Waits()
    google = FakeGoogle(many(1), first=[Reply(429, b"", {"retry-after": "7"}), Reply(503, b""), None])
    assert sum(len(page.assets) for page in inventory(google, waits).pages("RESOURCE")) == 1
    assert 7.0 in waits.pauses
    assert 4.0 in waits.pauses
    assert 8.0 in waits.pauses


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(Reply(429, b""), "throttled"), (Reply(503, b""), "unavailable"), (None, "unavailable")],
    ids=["throttled", "away", "silent"],
)
def test_patience_ends_and_says_why(reply: Reply | None, reason: str) -> None:
    waits = Waits()
    with pytest.raises(Failed) as failed:
        list(inventory(FakeGoogle(first=[reply] * 6), waits).pages("RESOURCE"))
    assert failed.value.reason == reason
    assert waits.seconds < 400


def test_a_wait_that_google_asks_for_is_bounded() -> None:
    waits = Waits()
    google = FakeGoogle(first=[Reply(503, b"", {"retry-after": "99999"}), Reply(503, b"", {"retry-after": "-1"})])
    list(inventory(google, waits).pages("RESOURCE"))
    assert max(waits.pauses) == 60.0


def test_a_missing_right_is_named_and_leaves_the_other_listing_alone() -> None:
    google = FakeGoogle(list(everything()), refused={"IAM_POLICY": error(403, "PERMISSION_DENIED")})
    (found,) = not_checked(google)
    assert (found.reason, found.permission) == ("access_denied", "cloudasset.assets.listIamPolicy")
    assert "google_project_iam_member" in found.types
    assert "google_compute_network" not in found.types
    (found,) = not_checked(FakeGoogle(refused={"RESOURCE": error(403, "PERMISSION_DENIED")}))
    assert found.permission == "cloudasset.assets.listResource"
    assert {"google_compute_network", "google_project_iam_custom_role", GENERIC} <= set(found.types)
    assert "google_project_iam_member" in found.types, "a policy is of a number, whose name is not known"


def test_nothing_is_called_missing_when_the_listing_fails() -> None:
    state = declared(*((one.type, one.state) for one in examples()))
    for status in (400, 401, 403, 404, 500):
        google = FakeGoogle(refused={name: error(status, "X") for name in ("RESOURCE", "IAM_POLICY")})
        tally = Tally()
        assert drift(state, read_all(inventory(google)), tally) == []
        assert tally.not_checked == len(state)


def test_nothing_is_called_missing_when_a_later_page_fails() -> None:
    google = FakeGoogle(many(1500))
    reader = read_all(inventory(google))
    found: list[object] = [next(reader)]
    google.refused = {"RESOURCE": error(403, "PERMISSION_DENIED")}
    found += list(reader)
    assert any(isinstance(one, NotChecked) for one in found)
    network = next(one for one in examples() if one.type == "google_compute_network")
    assert [one for one in drift(declared((network.type, network.state)), found) if one.kind == "missing"] == []


@pytest.mark.parametrize(
    ("reply", "reason", "permission"),
    [
        (error(403, "PERMISSION_DENIED", "", "SERVICE_DISABLED"), "not_enabled", None),
        (error(403, "PERMISSION_DENIED", "", "USER_PROJECT_DENIED"), "access_denied", "serviceusage.services.use"),
        (
            error(403, "PERMISSION_DENIED", "cloudasset.assets.listResource on x"),
            "access_denied",
            "cloudasset.assets.listResource",
        ),
        (error(401, "UNAUTHENTICATED"), "access_denied", None),
        (error(400, "INVALID_ARGUMENT", "secret text of a stranger"), "unavailable", None),
        (Reply(418, b"<html>"), "unavailable", None),
    ],
    ids=["api off", "quota project", "named", "token", "argument", "no json"],
)
def test_refusals_say_what_to_do(reply: Reply, reason: str, permission: str | None) -> None:
    with pytest.raises(Failed) as failed:
        list(inventory(FakeGoogle(first=[reply])).pages("RESOURCE"))
    assert (failed.value.reason, failed.value.permission) == (reason, permission)
    assert "stranger" not in failed.value.detail


@pytest.mark.parametrize(
    "content",
    [b"", b"no", b"[]", b'{"assets": 1}', b'{"nextPageToken": 5}', b'{"nextPageToken": {}, "assets": []}',
     b'{"assets": [' + b"1," * 1000 + b"1]}", b"[" * 100_000, b'{"nextPageToken": "' + b"x" * 9000 + b'"}'],
    ids=["empty", "no json", "a list", "no list", "a number", "an object", "too many", "too deep", "too long"],
)  # fmt: skip
def test_an_answer_in_another_form_is_malformed(content: bytes) -> None:
    with pytest.raises(Failed) as failed:
        list(inventory(FakeGoogle(first=[Reply(200, content)])).pages("RESOURCE"))
    assert failed.value.reason == "malformed"


def test_pages_that_go_in_a_circle_end() -> None:
    page = Reply(200, b'{"assets": [], "nextPageToken": "again"}')
    with pytest.raises(Failed) as failed:
        list(inventory(FakeGoogle(first=[page] * 10)).pages("RESOURCE"))
    assert failed.value.reason == "malformed"


@pytest.mark.parametrize(
    "nameless", ["no", {}, {"name": "//x"}, {"name": 1, "assetType": "x/Y"}, {"assetType": "x/Y", "name": "no"}]
)
def test_something_without_a_name_could_be_anything(nameless: object) -> None:
    found = not_checked(FakeGoogle([nameless]))
    assert found[0].reason == "malformed"
    assert set(found[0].types) >= {"google_compute_network", GENERIC}


def test_projects_by_number_are_known_by_their_id() -> None:
    google = FakeGoogle(
        list(everything()),
        [
            policy(
                f"//cloudresourcemanager.googleapis.com/projects/{NUMBER}",
                "cloudresourcemanager.googleapis.com/Project",
                [{"role": "roles/viewer", "members": ["user:a@example.com"]}],
            )
        ],
    )
    keys = {
        one.key
        for one in read_all(inventory(google))
        if isinstance(one, LiveResource) and one.type == "google_project_iam_member"
    }
    assert keys == {"//cloudresourcemanager.googleapis.com/projects/shop-prod|roles/viewer||user:a@example.com"}


@pytest.mark.parametrize(
    "parent", ["projects/a/../b", "folders/x", "organizations/", "billingAccounts/1", "projects/a?b", ""]
)
def test_a_parent_of_another_form_is_refused(parent: str) -> None:
    with pytest.raises(ValueError, match="not a parent"):
        inventory(FakeGoogle(), parent=parent)


class Guard:
    """Notes what would have gone out."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.calls: list[tuple[str, str, dict[str, str]]] = []

    def request(self, method: str, url: str, *, headers: dict[str, str], content: bytes) -> EgressResponse:
        assert content == b""
        self.calls.append((method, url, headers))
        if self.failure:
            raise self.failure
        return EgressResponse(200, {}, b"{}")


def test_the_token_goes_into_a_header_and_only_to_the_inventory() -> None:
    guard = Guard()
    google = GuardedGoogle(cast("EgressGuard", guard), lambda: Secret(b"ya29.token"), "quota-project")
    url = "https://cloudasset.googleapis.com/v1/projects/p/assets"
    assert google.get(url) is not None
    method, asked, headers = guard.calls[0]
    assert (method, asked) == ("GET", url)
    assert headers["Authorization"] == "Bearer ya29.token"
    assert headers["X-Goog-User-Project"] == "quota-project"
    with pytest.raises(ValueError, match="not an address"):
        google.get("https://example.com/v1/projects/p/assets")
    assert len(guard.calls) == 1


def test_silence_is_no_answer() -> None:
    google = GuardedGoogle(cast("EgressGuard", Guard(EgressTimeout("example.com"))), lambda: Secret(b"t"))
    assert google.get("https://cloudasset.googleapis.com/v1/projects/p/assets") is None


def test_the_table_is_large_enough() -> None:
    mapped = [name for name in specs() if "_iam_" not in name or name.endswith("_custom_role")]
    assert len(mapped) >= 60
