"""Asset feeds over a real database: who may push, what a burst and a repeated message do, and which scans start."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Response

from shared.security.plans import SHORTEST_INTERVALS
from shared.testing.clock import START
from tests.support.asset_feed import PUSH_ACCOUNT, WELCOME, claims_of, pushed, temporal_asset
from tests.support.http_app import PUBLIC_URL, call
from tests.support.scan_function import ScanFunction, ScanOrg

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SETTLED = 130.0  # the inventory's lag and a little
OTHER_ACCOUNT = "somebody@other-project.iam.gserviceaccount.com"


@dataclass
class Sender:
    """A customer's Pub/Sub with the feed that it pushes to."""

    org: ScanOrg
    account: UUID
    feed: dict[str, Any]

    @classmethod
    def make(cls, function: ScanFunction, plan: str = "enterprise") -> Sender:
        org = ScanOrg.make(function, plan)
        account = google_account(org)
        feed = org.done("PUT", f"/cloud-accounts/{account}/asset-feed", {"push_account": PUSH_ACCOUNT})
        return cls(org, account, feed)

    def token(self, audience: str | None = None, **claims: Any) -> str:
        issuer = self.org.function.world.events_issuer
        body = claims_of(**claims)
        return issuer.issue(body, audience=audience or self.feed["audience"], kind="JWT", lifetime=timedelta(hours=1))

    def push(self, body: Any = None, *, token: str | None = None, feed_id: object = None) -> Response:
        """Push one message: a change that is told now, unless said."""
        if body is None:
            body = pushed(temporal_asset(), self.org.function.clock.now())
        path = f"/api/v2/asset-feeds/{feed_id or self.feed['id']}"
        return call(self.org.function.app, "POST", path, token=token or self.token(), json_body=body)

    def pushes(self, body: Any = None) -> tuple[int, str]:
        """Push one message that is let in; returns the answer."""
        response = self.push(body)
        return response.status_code, json.loads(response.get_data())["status"]

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = self.org.done("GET", f"/cloud-accounts/{self.account}/asset-feed")
        return found

    def scans(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.org.done("GET", "/scans")["items"]
        return found

    def begun(self, moment: datetime, status: str = "done") -> UUID:
        """Store somebody else's scan that began then."""
        return self.org.make_scan(self.account, status, created_at=moment)

    def end(self) -> None:
        """Let the scan that is under way end, and have begun by the test's clock."""
        values = {"account": self.account, "now": self.org.function.clock.now()}
        self.org.own(
            "update scan.scans set status = 'done', created_at = :now where org_id = :org_id and account_id = :account",
            **values,
        )


def google_account(org: ScanOrg, parent: str | None = None) -> UUID:
    body = {
        "provider": "gcp",
        "name": "shop",
        "external_account": parent or f"projects/shop-{uuid4().hex[:8]}",
        "auth": {
            "kind": "workload_identity",
            "provider": "projects/123456789012/locations/global/workloadIdentityPools/driftwise/providers/google",
        },
    }
    return UUID(org.done("POST", "/cloud-accounts", body, 201)["id"])


@pytest.fixture
def sender(function: ScanFunction) -> Sender:
    return Sender.make(function)


def tick(function: ScanFunction, seconds: float = 0) -> int:
    function.clock.advance(seconds)
    return int(function.tick("scan-schedules")["started"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_feed_is_made_shown_changed_and_deleted(sender: Sender) -> None:
    org, path, feed = sender.org, f"/accounts/{sender.account}/asset-feed", sender.feed
    assert feed["endpoint"] == feed["audience"] == f"{PUBLIC_URL}/api/v2/asset-feeds/{feed['id']}"
    assert feed["endpoint"] in feed["commands"]
    assert feed["endpoint"] in feed["terraform"]
    assert sender.look() == feed == org.done("GET", path)
    changed = org.done("PUT", path, {"push_account": OTHER_ACCOUNT, "is_disabled": True})
    assert (changed["id"], changed["push_account"]) == (feed["id"], OTHER_ACCOUNT)
    assert moment(changed["disabled_at"]) == START
    assert org.call("GET", path, role="viewer").status_code == 200
    for method in ("PUT", "DELETE"):
        body = {"push_account": PUSH_ACCOUNT} if method == "PUT" else None
        assert org.call(method, path, body, role="member").status_code == 403
    org.done("DELETE", path, status=204)
    org.refused("GET", path, None, 404, "not_found")
    assert org.audits()[-3:] == ["scan:asset_feed:changed", "scan:asset_feed:changed", "scan:asset_feed:deleted"]


def test_only_accounts_of_google_cloud_have_one_and_only_service_accounts_push(sender: Sender) -> None:
    org = sender.org
    org.refused("PUT", f"/accounts/{org.make_account()}/asset-feed", {"push_account": PUSH_ACCOUNT}, 422, "invalid")
    org.refused("PUT", f"/accounts/{sender.account}/asset-feed", {"push_account": "me@example.test"}, 422, "invalid")
    org.refused("PUT", f"/accounts/{uuid4()}/asset-feed", {"push_account": PUSH_ACCOUNT}, 404, "not_found")


def test_another_organisations_feed_is_not_there(function: ScanFunction, sender: Sender) -> None:
    stranger = ScanOrg.make(function)
    for method in ("GET", "DELETE", "PUT"):
        body = {"push_account": PUSH_ACCOUNT} if method == "PUT" else None
        stranger.refused(method, f"/accounts/{sender.account}/asset-feed", body, 404, "not_found")


def test_a_change_starts_one_scan_once_the_inventory_has_settled(function: ScanFunction, sender: Sender) -> None:
    assert sender.pushes() == (202, "accepted")
    assert moment(sender.look()["due_at"]) == START + timedelta(seconds=125)
    assert tick(function, 120) == 0
    assert tick(function, 10) == 1
    assert tick(function, 30) == 0
    (scan,) = sender.scans()
    found = sender.look()
    assert (scan["trigger"], scan["account_id"], scan["status"]) == ("event", str(sender.account), "pending")
    assert (found["last_scan_id"], found["due_at"]) == (scan["id"], None)
    assert "scan:scan:started" in sender.org.audits()
    shards = [m for m in function.queue.messages("scan-shards") if m.payload["scan_id"] == scan["id"]]
    assert len(shards) == scan["shards_total"]


def test_scans_of_people_and_schedules_say_so(function: ScanFunction, sender: Sender) -> None:
    sender.org.done("POST", "/scans", {"account_id": str(sender.account)}, 202)
    sender.end()
    sender.org.make_schedule(sender.account)
    assert tick(function, 3 * HOUR.total_seconds()) == 1
    assert [scan["trigger"] for scan in sender.scans()] == ["schedule", "person"]


def test_a_burst_is_one_scan_and_most_of_it_writes_nothing(function: ScanFunction, sender: Sender) -> None:
    answers = []
    for number in range(30):
        answers.append(sender.pushes(pushed(temporal_asset(), function.clock.now(), str(number))))
        function.clock.advance(1)
    assert answers.count((202, "accepted")) == 5
    assert answers.count((200, "already_processed")) == 25
    assert tick(function, SETTLED) == 1
    assert tick(function, HOUR.total_seconds()) == 0
    assert len(sender.scans()) == 1


def test_a_message_that_comes_again_starts_nothing_before_or_after_its_scan(
    function: ScanFunction, sender: Sender
) -> None:
    body = pushed(temporal_asset(), function.clock.now())
    assert sender.pushes(body) == (202, "accepted")
    assert sender.pushes(body) == (200, "already_processed")
    assert tick(function, SETTLED) == 1
    sender.end()
    for _ in range(2):
        function.clock.advance(HOUR.total_seconds())
        assert sender.pushes(body) == (200, "already_processed")
    assert tick(function, HOUR.total_seconds()) == 0


def test_a_message_posted_many_times_at_once_is_news_once(sender: Sender) -> None:
    body, token = pushed(temporal_asset(), START), sender.token()
    found: list[int] = []
    threads = [Thread(target=lambda: found.append(sender.push(body, token=token).status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] * 7 + [202]


def test_ticks_at_once_start_one_scan(function: ScanFunction, sender: Sender) -> None:
    sender.push()
    function.clock.advance(SETTLED)
    threads = [Thread(target=function.tick, args=("scan-schedules",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sender.scans()) == 1


def test_while_an_account_is_scanned_one_scan_waits_and_no_more(function: ScanFunction, sender: Sender) -> None:
    running = sender.begun(START, "running")
    sender.push()
    assert tick(function, SETTLED) == 0
    assert len(sender.scans()) == 1
    sender.org.own("update scan.scans set status = 'done' where org_id = :org_id and id = :running", running=running)
    assert tick(function, 30) == 1
    assert tick(function, 30) == 0
    assert [scan["trigger"] for scan in sender.scans()] == ["event", "person"]


def test_a_scan_that_somebody_else_started_late_enough_answers_the_change(
    function: ScanFunction, sender: Sender
) -> None:
    body = pushed(temporal_asset(), START)
    sender.push(body)
    sender.begun(START + timedelta(seconds=126))
    assert tick(function, SETTLED) == 0
    assert sender.look()["due_at"] is None
    assert sender.pushes(body) == (200, "already_processed")


def test_a_scan_that_began_too_early_or_failed_answers_nothing(function: ScanFunction, sender: Sender) -> None:
    sender.push()
    sender.begun(START + timedelta(seconds=100))
    sender.begun(START + timedelta(seconds=126), "failed")
    assert tick(function, SETTLED) == 1


def test_changes_start_scans_no_more_often_than_the_plan_has_it(function: ScanFunction) -> None:
    sender = Sender.make(function, "team")
    sender.push()
    assert tick(function, SETTLED) == 1
    sender.end()
    function.clock.advance(60)
    sender.push()
    assert tick(function, SHORTEST_INTERVALS["team"].total_seconds() - 61) == 0
    assert tick(function, 2) == 1


def test_a_plans_number_of_scans_at_the_same_time_holds(function: ScanFunction) -> None:
    sender = Sender.make(function, "free")
    busy = sender.org.make_scan(sender.org.make_account(), "running")
    sender.push()
    assert tick(function, SETTLED) == 0
    assert sender.look()["due_at"] is not None
    sender.org.own("update scan.scans set status = 'done' where org_id = :org_id and id = :busy", busy=busy)
    assert tick(function, 30) == 1


def test_a_disabled_feed_lets_nothing_in_and_forgets_what_waits(function: ScanFunction, sender: Sender) -> None:
    sender.push()
    path = f"/accounts/{sender.account}/asset-feed"
    assert sender.org.done("PUT", path, {"push_account": PUSH_ACCOUNT, "is_disabled": True})["due_at"] is None
    assert refusal(sender.push()) == (401, "signature_refused")
    assert tick(function, SETTLED) == 0
    assert sender.org.done("PUT", path, {"push_account": PUSH_ACCOUNT})["disabled_at"] is None
    assert sender.pushes() == (202, "accepted")


def test_what_was_deleted_starts_nothing(function: ScanFunction, sender: Sender) -> None:
    sender.push()
    sender.org.done("DELETE", f"/accounts/{sender.account}", status=204)
    assert tick(function, SETTLED) == 0
    assert refusal(sender.push()) == (401, "signature_refused")
    other = Sender.make(function)
    other.push()
    other.org.own("update core.orgs set deleted_at = now() where id = :org_id")
    assert tick(function, SETTLED) == 0
    assert refusal(other.push()) == (401, "signature_refused")


def test_the_welcome_of_a_new_feed_shows_that_the_way_works_and_starts_nothing(
    function: ScanFunction, sender: Sender
) -> None:
    assert sender.look()["welcomed_at"] is None
    assert sender.pushes(pushed(WELCOME)) == (202, "accepted")
    assert sender.pushes(pushed(WELCOME)) == (200, "already_processed")
    found = sender.look()
    assert (moment(found["welcomed_at"]), found["due_at"]) == (START, None)
    assert sender.pushes(pushed(b"hello")) == (200, "ignored")
    assert tick(function, SETTLED) == 0


def test_nothing_of_a_message_is_kept(sender: Sender) -> None:
    sender.push()
    rows = sender.org.own("select to_jsonb(f)::text from scan.asset_feeds f where org_id = :org_id")
    assert "tiger-team" in temporal_asset().decode()
    assert "acme-reports" not in rows[0][0]
    assert "tiger-team" not in rows[0][0]


# --- Who may push ------------------------------------------------------------------------------------------------------


def refusal(response: Response) -> tuple[int, str]:
    found: dict[str, Any] = json.loads(response.get_data())
    assert "detail" not in found, "a stranger is told why"
    return response.status_code, found["code"]


STRANGERS: dict[str, Callable[[Sender], str]] = {
    "another account": lambda sender: sender.token(account=OTHER_ACCOUNT),
    "an account that begins alike": lambda sender: sender.token(account=PUSH_ACCOUNT + ".evil.example"),
    "the account in capitals": lambda sender: sender.token(account=PUSH_ACCOUNT.upper()),
    "no account": lambda sender: sender.token(email=None),
    "an account that is not verified": lambda sender: sender.token(email_verified=False),
    "another feed's audience": lambda sender: sender.token(f"{PUBLIC_URL}/api/v2/asset-feeds/{uuid4()}"),
    "the worker's audience": lambda sender: sender.token("https://worker.example"),
    "our own queue's token": lambda sender: sender.org.function.world.event_token(),
    "an admin's token": lambda sender: sender.org.token(),
    "garbage": lambda _: "garbage",
    "a forged signature": lambda sender: sender.token()[:-6] + "AAAAAA",
}


def test_who_is_not_the_feeds_own_account_is_refused_and_starts_nothing(function: ScanFunction, sender: Sender) -> None:
    answers = {name: refusal(sender.push(token=make(sender))) for name, make in STRANGERS.items()}
    assert answers == dict.fromkeys(STRANGERS, (401, "signature_refused"))
    assert sender.look()["due_at"] is None
    assert tick(function, SETTLED) == 0
    assert sender.pushes() == (202, "accepted")


def test_an_expired_token_is_refused(function: ScanFunction, sender: Sender) -> None:
    token = sender.token()
    function.clock.advance(HOUR.total_seconds() + 31)
    assert refusal(sender.push(token=token)) == (401, "signature_refused")


def test_a_feed_that_does_not_exist_is_refused_like_a_bad_token(sender: Sender) -> None:
    unknown = uuid4()
    token = sender.token(f"{PUBLIC_URL}/api/v2/asset-feeds/{unknown}")
    assert refusal(sender.push(token=token, feed_id=unknown)) == (401, "signature_refused")


def test_one_customers_account_pushes_to_no_other_customers_feed(function: ScanFunction, sender: Sender) -> None:
    other = Sender.make(function)
    assert refusal(other.push(token=sender.token())) == (401, "signature_refused")
    other.org.done("PUT", f"/accounts/{other.account}/asset-feed", {"push_account": OTHER_ACCOUNT})
    assert refusal(other.push(token=other.token())) == (401, "signature_refused")
    assert other.push(token=other.token(account=OTHER_ACCOUNT)).status_code == 202


def test_a_proven_sender_hears_what_is_wrong_with_a_message(sender: Sender) -> None:
    bodies: list[Any] = [{}, {"message": {}}, [], json.loads(temporal_asset())]
    for body in bodies:
        response = sender.push(body)
        assert (response.status_code, json.loads(response.get_data())["code"]) == (400, "malformed_request")
