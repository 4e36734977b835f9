"""The audit log over HTTP: who did what, listed, filtered, paged and verified."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from infra.verify_pack import verify_pack
from shared.security.audit import GENESIS, Entry, Event, Head, hash_entry, org_chain
from tests.support.running_suite import RunningSuite, problem
from tests.support.waiting import wait_until


@dataclass
class Org:
    """An organisation of the test's own."""

    suite: RunningSuite
    id: UUID

    def make_key(self, name: str, *scopes: str) -> dict[str, Any]:
        response = self.suite.call(
            "POST",
            self.suite.org("/api-keys", self.id),
            self.suite.tokens["owner"],
            json={"name": name, "scopes": list(scopes) or ["read"]},
        )
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    def get(self, path: str, token: str | None = None, **params: str) -> httpx.Response:
        path = self.suite.org(f"/audit-log{path}", self.id)
        return self.suite.call("GET", path, token or self.suite.tokens["owner"], params=params)

    def entries(self, **params: str) -> list[dict[str, Any]]:
        response = self.get("", **params)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["items"]
        return found

    def verify(self, **params: str) -> dict[str, Any]:
        response = self.get("/verify", **params)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def anchor(self) -> None:
        """Let the hour pass after which heads are anchored."""
        self.suite.tick("audit-anchors")

    def rewrite(self, from_seq: int) -> None:
        """Write the chain anew from an entry on, with fitting hashes and head: all that the database holds fits again."""
        with closing(self.suite.owner()) as connection:
            rows = connection.run(
                "select seq, version, id, at, action, actor_kind, target_kind, target_id, facts::text, request_id "
                "from core.audit_log where org_id = :org_id order by seq",
                org_id=self.id,
            )
            head = GENESIS
            connection.run("begin")
            for table in ("audit_log", "audit_heads"):
                connection.run(f"alter table core.{table} disable trigger user")
            for seq, version, entry_id, at, action, actor_kind, target_kind, target_id, facts, request_id in rows:
                ((actor_id,),) = connection.run(
                    "update core.audit_log set actor_id = case when seq >= :seq then 'somebody-else' else actor_id end "
                    "where org_id = :org_id and id = :id returning actor_id",
                    org_id=self.id, id=entry_id, seq=from_seq,
                )  # fmt: skip
                event = Event(action, actor_kind, actor_id, target_kind, target_id, facts, request_id)
                bare = Entry(org_chain(self.id), seq, version, entry_id, at, event, head.hash, b"")
                head = Head(seq, hash_entry(bare))
                connection.run(
                    "update core.audit_log set prev_hash = :prev, hash = :hash where org_id = :org_id and id = :id",
                    prev=bare.prev_hash, hash=head.hash, org_id=self.id, id=entry_id,
                )  # fmt: skip
            connection.run(
                "update core.audit_heads set hash = :hash where org_id = :org_id", hash=head.hash, org_id=self.id
            )
            for table in ("audit_log", "audit_heads"):
                connection.run(f"alter table core.{table} enable trigger user")
            connection.run("commit")

    def tamper(self, sql: str) -> None:
        """Do what only the database's owner can, and only on purpose."""
        with closing(self.suite.owner()) as connection:
            connection.run("begin")
            connection.run("alter table core.audit_log disable trigger user")
            connection.run(sql, org_id=self.id)
            connection.run("alter table core.audit_log enable always trigger audit_log_rows")
            connection.run("alter table core.audit_log enable always trigger audit_log_truncate")
            connection.run("commit")


@pytest.fixture
def org(emulator: RunningSuite) -> Iterator[Org]:
    """An organisation whose log holds its making and three keys."""
    made = emulator.call("POST", "/api/v2/orgs", emulator.tokens["owner"], json={"name": "Audited"})
    assert made.status_code == 201, made.text
    found = Org(emulator, UUID(made.json()["id"]))
    with closing(emulator.owner()) as connection:
        connection.run("update core.orgs set plan = 'enterprise' where id = :org_id", org_id=found.id)
    for name in ("one", "two", "three"):
        found.make_key(name)
    yield found
    with closing(emulator.owner()) as connection:
        connection.run("update core.orgs set deleted_at = now() where id = :org_id", org_id=found.id)


def test_everything_that_was_done_is_listed_newest_first(org: Org) -> None:
    found = org.entries()
    assert [entry["seq"] for entry in found] == [4, 3, 2, 1]
    assert [entry["action"] for entry in found] == ["keys:api_key:created"] * 3 + ["auth:org:created"]
    newest = found[0]
    assert newest["facts"] == {"name": "three", "scopes": ["read"]}
    assert newest["actor_kind"] == "human"
    assert newest["target_kind"] == "api_key"
    assert newest["request_id"]
    assert len(newest["hash"]) == 64


def test_entries_are_found_by_actor_action_target_and_time(org: Org) -> None:
    found = org.entries()
    first, newest = found[-1], found[0]
    between = {"from": first["at"], "to": newest["at"]}
    assert [e["seq"] for e in org.entries(action="auth:org:created")] == [1]
    assert [e["seq"] for e in org.entries(action="keys:")] == [4, 3, 2]
    assert [e["seq"] for e in org.entries(action="keys")] == []
    assert [e["seq"] for e in org.entries(target=newest["target_id"])] == [4]
    assert [e["seq"] for e in org.entries(actor=newest["actor_id"])] == [4, 3, 2, 1]
    assert org.entries(actor="nobody") == []
    assert [e["seq"] for e in org.entries(**{"from": newest["at"]})] == [4]
    assert [e["seq"] for e in org.entries(to=newest["at"])] == [3, 2, 1]
    assert [e["seq"] for e in org.entries(action="keys:api_key:", **between)] == [3, 2]


def test_pages_follow_each_other_while_entries_are_added(org: Org) -> None:
    first = org.get("", limit="2").json()
    org.make_key("meanwhile")
    second = org.get("", limit="2", cursor=first["next_cursor"]).json()
    assert [e["seq"] for e in first["items"] + second["items"]] == [4, 3, 2, 1]
    assert second["next_cursor"] is None


def test_a_chain_is_verified_and_its_head_can_be_kept(org: Org) -> None:
    found = org.verify()
    assert found == {
        "ok": True, "entries": 4, "head_seq": 4, "head_hash": org.entries()[0]["hash"], "anchors": 0,
        "problem": None,
    }  # fmt: skip
    org.make_key("one more")
    assert org.verify(expected_min_seq="4")["entries"] == 5
    found = org.verify(expected_min_seq="6")
    assert (found["ok"], found["problem"]) == (False, {"seq": 6, "kind": "truncated"})


@pytest.mark.parametrize(
    "sql, seen",
    [
        (
            "update core.audit_log set actor_id = 'somebody-else' where org_id = :org_id and seq = 3",
            {"seq": 3, "kind": "altered"},
        ),
        ("delete from core.audit_log where org_id = :org_id and seq = 2", {"seq": 2, "kind": "gap"}),
    ],
    ids=["altered", "removed"],
)
def test_what_somebody_changed_in_the_database_is_told(org: Org, sql: str, seen: dict[str, Any]) -> None:
    org.tamper(sql)
    found = org.verify()
    assert not found["ok"]
    assert found["problem"] == seen
    assert found["entries"] == found["head_seq"] == seen["seq"] - 1


def test_a_chain_that_was_rewritten_whole_does_not_fit_its_anchors(org: Org) -> None:
    org.anchor()
    org.make_key("after the anchor")
    org.anchor()
    org.anchor()
    found = org.verify()
    assert (found["ok"], found["anchors"]) == (True, 2), found
    org.rewrite(from_seq=5)
    assert org.verify()["problem"] == {"seq": 5, "kind": "anchor_mismatch"}
    org.rewrite(from_seq=2)
    assert org.verify()["problem"] == {"seq": 4, "kind": "anchor_mismatch"}
    org.make_key("as if nothing were")
    org.anchor()
    found = org.verify()
    assert found["problem"] == {"seq": 4, "kind": "anchor_mismatch"}, "a later anchor hides an earlier one"
    assert found["anchors"] == 3


def test_a_chain_cut_short_with_its_head_does_not_reach_its_anchor(org: Org) -> None:
    org.anchor()
    with closing(org.suite.owner()) as connection:
        connection.run("begin")
        for table in ("audit_log", "audit_heads"):
            connection.run(f"alter table core.{table} disable trigger user")
        connection.run("delete from core.audit_log where org_id = :org_id and seq > 2", org_id=org.id)
        connection.run(
            "update core.audit_heads h set seq = 2, anchored_seq = 0, hash = l.hash from core.audit_log l "
            "where h.org_id = :org_id and l.org_id = h.org_id and l.seq = 2",
            org_id=org.id,
        )
        for table in ("audit_log", "audit_heads"):
            connection.run(f"alter table core.{table} enable trigger user")
        connection.run("commit")
    assert org.verify()["problem"] == {"seq": 3, "kind": "truncated"}


@pytest.mark.parametrize("path", ["", "/verify"])
def test_only_admins_and_keys_worth_one_read_the_log(emulator: RunningSuite, path: str) -> None:
    for role, status in (("viewer", 403), ("member", 403), ("admin", 200), ("owner", 200)):
        answer = emulator.call("GET", emulator.org(f"/audit-log{path}"), emulator.tokens[role])
        assert answer.status_code == status, f"{role}: {answer.text}"
    for scope, status in (("read", 403), ("write", 403), ("admin", 200)):
        answer = emulator.call("GET", emulator.org(f"/audit-log{path}"), emulator.api_keys[scope])
        assert answer.status_code == status, f"{scope}: {answer.text}"


@pytest.mark.parametrize(
    "path, params, field",
    [
        ("", {"from": "yesterday"}, "from"),
        ("", {"to": "2026-01-01T00:00:00"}, "to"),
        ("", {"from_at": "2026-01-01T00:00:00Z"}, "from_at"),
        ("", {"limit": "0"}, "limit"),
        ("", {"cursor": "AAAAAAAAAAA="}, "cursor"),
        ("", {"cursor": "__________8"}, "cursor"),
        ("/verify", {"expected_min_seq": "-1"}, "expected_min_seq"),
        ("/verify", {"expected_min_seq": str(1 << 63)}, "expected_min_seq"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    emulator: RunningSuite, path: str, params: dict[str, str], field: str
) -> None:
    answer = emulator.call("GET", emulator.org(f"/audit-log{path}"), emulator.tokens["owner"], params=params)
    assert [item["field"] for item in problem(answer, 422, "invalid")["errors"]] == [field]


def test_an_auditor_verifies_a_pack_with_the_published_keys_alone(org: Org) -> None:
    org.anchor()
    path, token = org.suite.org("/audit-exports", org.id), org.suite.tokens["owner"]
    asked = org.suite.call("POST", path, token, json={})
    assert asked.status_code == 202, asked.text
    pack = f"{path}/{asked.json()['id']}"
    wait_until(lambda: org.suite.call("GET", pack, token).json()["status"] == "done", "the pack is built")
    content = org.suite.call("GET", f"{pack}/download", token).content
    keys = verify_pack.read_keys(org.suite.call("GET", "/.well-known/audit-export-keys.json", None).content)
    report = verify_pack.verify(io.BytesIO(content), keys, organisation=str(org.id))
    assert (report.problems, report.entries >= 4) == ([], True)
