"""The same journey in Google Cloud, Azure and a Kubernetes cluster: connect, verify, scan, see what somebody did and who, put it right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.azure_journey import AzureJourney
from tests.support.cloud_journeys import Found, Journey, Told
from tests.support.cluster_journey import ClusterJourney
from tests.support.google_journey import GoogleJourney
from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate, Org
from tests.support.waiting import wait_until


@dataclass
class Account:
    """A connected account, and what is known of it so far.

    Attributes:
        org: whose it is.
        id: of the account.
        journey: what happens in it.
        before: what the first scan told: what the fixtures have and no state declares.
        planted: what must be found of what somebody did.
    """

    org: Org
    id: str
    journey: Journey
    before: set[Found] = field(default_factory=set)
    planted: dict[Found, Told] = field(default_factory=dict)

    def verify(self) -> dict[str, Any]:
        found: dict[str, Any] = self.org.send("POST", f"/cloud-accounts/{self.id}/verify")
        return found

    def items(self) -> dict[Found, dict[str, Any]]:
        """Return what is open, each finding once."""
        page = self.org.send("GET", f"/drift?limit=200&account_id={self.id}")
        assert page["next_cursor"] is None
        found = {(item["kind"], item["type"], item["path"] or item["key"]): item for item in page["items"]}
        assert len(found) == len(page["items"])
        return found


@pytest.fixture(scope="module", params=["google", "azure", "kubernetes"])
def account(
    request: pytest.FixtureRequest, emulator: RunningSuite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    estate = Estate(emulator, "")
    cluster = ClusterJourney(estate, folder=tmp_path_factory.mktemp("operator"))
    journey = {"google": GoogleJourney(estate), "azure": AzureJourney(estate), "kubernetes": cluster}[request.param]
    org = Org.make(estate)
    found = Account(org, str(org.send("POST", "/cloud-accounts", json=journey.wish())["id"]), journey)
    journey.org, journey.account = found.org, found.id
    yield found
    cluster.stack.close()


@pytest.fixture(scope="module")
def denied(account: Account) -> dict[str, Any]:
    """The answer of a verification while a permission is missing."""
    account.journey.deny()
    return account.verify()


@pytest.fixture(scope="module")
def allowed(account: Account, denied: dict[str, Any]) -> dict[str, Any]:
    account.journey.allow()
    return account.verify()


@pytest.fixture(scope="module")
def first_scan(account: Account, allowed: dict[str, Any]) -> dict[str, Any]:
    reply = account.org.upload(account.org.add_source(account.id), account.journey.state())
    assert reply.status_code == 200, reply.text
    found = account.org.scan(account.id)
    account.before = set(account.items())
    return found


@pytest.fixture(scope="module")
def second_scan(account: Account, first_scan: dict[str, Any]) -> dict[str, Any]:
    account.planted = account.journey.plant()
    return account.org.scan(account.id)


def test_the_missing_permission_is_named(account: Account, denied: dict[str, Any]) -> None:
    assert denied["is_complete"] is False
    assert denied["missing_permissions"] == [account.journey.permission]


def test_with_the_permission_the_account_is_complete(allowed: dict[str, Any]) -> None:
    assert allowed["gaps"] == []
    assert allowed["is_complete"] is True


def test_what_was_just_applied_does_not_drift(account: Account, first_scan: dict[str, Any]) -> None:
    summary = first_scan["summary"]
    assert {kind for kind, _, _ in account.before} <= {"unmanaged"}
    assert summary["in_sync"] == summary["compared"] > 20
    assert summary["not_checked"] == {"resources": 0, "types": []}


def test_exactly_what_somebody_did_is_found(account: Account, second_scan: dict[str, Any]) -> None:
    found = set(account.items())
    assert found - account.before == set(account.planted)
    assert account.before <= found
    assert second_scan["summary"]["drift"] == len(found)


def test_who_did_it_is_told_or_why_nobody_can(account: Account, second_scan: dict[str, Any]) -> None:
    wait_until(
        lambda: all(account.items()[one]["attribution"]["status"] != "pending" for one in account.planted),
        "everything was attributed",
    )
    items = account.items()
    for finding, told in account.planted.items():
        attribution = items[finding]["attribution"]
        assert attribution["actor"] == told.actor, (finding, attribution)
        if told.actor is None:
            assert (attribution["status"], attribution["reason"]) == ("unknown", "not_enabled")


def test_what_is_unmanaged_comes_with_its_import_block(account: Account, second_scan: dict[str, Any]) -> None:
    items = account.items()
    for finding, told in account.planted.items():
        if told.import_id is not None:
            fix = account.org.send("GET", f"/drift/{items[finding]['id']}/fix")["importing"]
            assert fix["id"] == told.import_id
            assert f"to = {finding[1]}." in fix["import_block"]


def test_what_is_put_right_is_resolved_by_the_next_scan(account: Account, second_scan: dict[str, Any]) -> None:
    healed = account.journey.heal()
    found = account.org.scan(account.id)
    assert set(account.items()) == (account.before | set(account.planted)) - healed
    assert found["summary"]["fixed"] == len(healed)
