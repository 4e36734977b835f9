"""Packs for auditors over a real Postgres: who gets one, what stands in it, and what becomes of workers that are killed."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Response

from functions.auth import packing
from functions.auth.domain import audit_exports as domain
from functions.auth.domain import packs
from functions.auth.handlers import audit_packing
from infra.verify_pack import verify_pack
from shared.ports.errors import CiphertextRefused
from shared.ports.queue import Message
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.security.envelope import Envelope, Place
from tests.support.audit_packs import unpacked
from tests.support.auth_orgs import AuthFunction, Org, Person, send
from tests.support.webhook_function import wrapped

DAY = timedelta(days=1)
TOPIC = "audit-exports"


def received(answer: Response) -> bytes:
    """Receive what comes part by part, to its end."""
    answer.make_sequence()
    return answer.get_data()


@dataclass
class Scene:
    """An organisation with an admin, at a time that is a little later than what happened in it."""

    auth: AuthFunction
    org: Org
    admin: Person = field(init=False)
    delivered: int = 0

    def __post_init__(self) -> None:
        self.admin = self.org.person("admin", f"admin@{self.org.id}.example")
        self.auth.clock.advance(5)

    @property
    def path(self) -> str:
        return self.org.path("/audit-exports")

    def ask(self, **wish: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.admin.done("POST", self.path, wish, status=202)
        return found

    def deliver(self) -> list[Response]:
        """Push every message that was published for this organisation, as the queue does, each once."""
        mine = self.messages()
        new = mine[self.delivered :]
        self.delivered = len(mine)
        return [self.push(item) for item in new]

    def push(self, message: Message) -> Response:
        body = {"sub": "1", "email": "events@driftwise.example", "email_verified": True}
        token = self.auth.events_issuer.issue(
            body, audience="https://worker.example", kind="JWT", lifetime=timedelta(hours=1)
        )
        return send(self.auth.worker, "POST", f"/_events/{TOPIC}", token, wrapped(message, {}))

    def messages(self) -> list[Message]:
        """Return every message that was published for this organisation."""
        return [item for item in self.auth.queue.messages(TOPIC) if item.attributes["org_id"] == str(self.org.id)]

    def sweep(self) -> int:
        """Let the tick come; returns how often it asked for packs of this organisation."""
        before = len(self.messages())
        self.auth.tick("/_events/audit-export-sweep")
        return len(self.messages()) - before

    def show(self, export_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.admin.done("GET", f"{self.path}/{export_id}")
        return found

    def fetch(self, export_id: str, **headers: str) -> Response:
        return self.admin.call("GET", f"{self.path}/{export_id}/download", **headers)

    def content(self, export_id: str, **headers: str) -> bytes:
        return received(self.fetch(export_id, **headers))

    def build(self, **wish: Any) -> dict[str, bytes]:
        """Have a pack built and fetch it; returns its files, which are verified."""
        export_id = self.ask(**wish)["id"]
        self.finish(export_id)
        content = self.content(export_id)
        report = self.verify(content)
        assert report.problems == []
        return {file.path: file.content for file in unpacked(content)}

    def finish(self, export_id: str) -> dict[str, Any]:
        for _ in range(60):
            answers = self.deliver()
            assert {answer.status_code for answer in answers} <= {204}, [answer.get_data() for answer in answers]
            if not answers:
                break
        shown = self.show(export_id)
        assert (shown["status"], shown["error_code"]) == ("done", None), shown
        return shown

    def verify(self, content: bytes, **options: Any) -> verify_pack.Report:
        """Verify as an auditor does, with keys that were fetched."""
        keys = send(self.auth.app, "GET", "/.well-known/audit-export-keys.json", "").get_data()
        found = verify_pack.read_keys(keys)
        return verify_pack.verify(io.BytesIO(content), found, organisation=str(self.org.id), **options)

    def own(self, sql: str, **values: Any) -> list[Any]:
        found: list[Any] = self.auth.database.owner.run(sql, org_id=self.org.id, **values)
        return found

    def count_parts(self) -> int:
        ((found,),) = self.own("select count(*) from core.audit_export_parts where org_id = :org_id")
        return int(found)

    def actions(self) -> list[str]:
        return [entry["action"] for entry in self.org.audits() if "audit_export" in entry["action"]]


@pytest.fixture
def scene(auth: AuthFunction) -> Scene:
    return Scene(auth, auth.org("team"))


def rows_of(files: dict[str, bytes], path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[path].decode().splitlines()]


def fill(scene: Scene) -> dict[str, Any]:
    """Give the organisation scans, drift and keys; returns the ids."""
    now = scene.auth.clock.now()
    ((account,),) = scene.own(
        "insert into scan.cloud_accounts (org_id, provider, name, external_account, regions, auth_kind, role_arn) values "
        "(:org_id, 'aws', '=HYPERLINK(1)', '123456789012', '{eu-west-1}', 'role', 'arn:aws:iam::123456789012:role/x') returning id"
    )
    ((scan,),) = scene.own(
        "insert into scan.scans (org_id, account_id, status, requested_by, created_at, started_at, finished_at, summary) values "
        "(:org_id, :account, 'done', 'human:x', :at, :at, :done, '{\"drift\": 3}') returning id",
        account=account, at=now - 2 * DAY, done=now - 2 * DAY + timedelta(seconds=30),
    )  # fmt: skip
    for number, (severity, first, fixed) in enumerate(
        [("high", 10, 8), ("high", 10, 6), ("high", 5, None), ("low", 40, 35), ("low", 40, 3), ("medium", 60, None)]
    ):
        scene.own(
            "insert into scan.drift_items (org_id, account_id, scan_id, kind, type, key, severity, rule, fingerprint, path, before, "
            "after, status, first_seen_at, fixed_at, acknowledged_at, acknowledged_by, note, attribution_status, attribution) values "
            "(:org_id, :account, :scan, 'changed', 'aws_x', :key, :severity, 'r', sha256(convert_to(cast(:key as text), 'UTF8')), 'acl', "
            "'\"private value\"', '\"public value\"', :status, :first, cast(:fixed as timestamptz), :first, 'human:y', 'fine', 'found', "
            "'{\"actor\": \"alice\"}')",
            account=account, scan=scan, key=f"k{number}", severity=severity, status="open" if fixed is None else "fixed",
            first=now - first * DAY, fixed=None if fixed is None else now - fixed * DAY,
        )  # fmt: skip
    return {"account": account, "scan": scan}


# What stands in a pack


def test_a_pack_holds_what_auditors_ask_for_and_is_verified_offline(scene: Scene) -> None:
    fill(scene)
    secret = scene.org.key(scene.admin, "read")
    scene.admin.done(
        "POST", scene.org.path("/invitations"), {"email": "new@acme.example", "role": "viewer"}, status=201
    )
    files = scene.build()
    manifest = json.loads(files["manifest.json"])
    assert {item["path"] for item in manifest["files"]} == set(files) - {"manifest.json", "manifest.jws"}
    assert manifest["organisation"] == {"id": str(scene.org.id), "name": "Acme", "plan": "team"}
    assert [row["action"] for row in rows_of(files, "audit-log/entries-0001.jsonl")] == ["auth:invitation:created", "auth:audit_export:created"]  # fmt: skip
    (key,) = rows_of(files, "access/api-keys-0001.jsonl")
    assert (key["status"], key["created_by_email"], key["notes"]) == (
        "live",
        scene.admin.email,
        ["no use known", "never expires"],
    )
    (invited,) = rows_of(files, "access/invitations-0001.jsonl")
    assert (invited["email"], invited["status"], invited["invited_by_email"]) == (
        "new@acme.example",
        "open",
        scene.admin.email,
    )
    (scan,) = rows_of(files, "scans/scans-0001.jsonl")
    assert (scan["seconds"], scan["summary"], scan["provider"]) == (30.0, {"drift": 3}, "aws")
    drift = rows_of(files, "drift/items-0001.jsonl")
    assert sorted(row["key"] for row in drift) == ["k0", "k1", "k2", "k4", "k5"]  # k3 was fixed before the window
    assert {row["acknowledged_by"] for row in drift} == {"human:y"}
    assert {row["attribution"]["actor"] for row in drift} == {"alice"}
    assert {row["seconds_to_fix"] for row in drift} == {2 * 86400, 4 * 86400, 37 * 86400, None}
    table = {row["severity"]: row for row in csv.DictReader(io.StringIO(files["drift/fix-times-0001.csv"].decode()))}
    assert table["high"] == {
        "severity": "high", "opened": "3", "fixed": "2", "open_at_end": "1", "mean_seconds_to_fix": "259200.0",
        "median_seconds_to_fix": "259200.0", "longest_seconds_to_fix": "345600.0",
    }  # fmt: skip
    assert (table["medium"]["opened"], table["medium"]["open_at_end"], table["critical"]["opened"]) == ("0", "1", "0")
    (told,) = csv.DictReader(io.StringIO(files["scans/scans-0001.csv"].decode()))
    assert told["account"] == "'=HYPERLINK(1)"
    whole = b"".join(files.values())
    assert secret.encode() not in whole
    assert b"private value" not in whole, "values of resources are not told"


def test_access_is_told_with_how_everybody_came(scene: Scene) -> None:
    people = {
        name: scene.org.person("member", f"{name}@{scene.org.id}.example")
        for name in ("saml", "scim", "founder", "invited", "old")
    }
    invitation = UUID(int=77)
    scene.own(
        "insert into core.invitations (org_id, id, email, role, token_hash, invited_by, expires_at, accepted_at) values "
        "(:org_id, :id, 'invited@example.test', 'member', sha256(convert_to(cast(:text as text), 'UTF8')), :maker, now(), now())",
        id=invitation, maker=scene.admin.id, text=str(scene.org.id),
    )  # fmt: skip

    def entry(person: Person, action: str, target: object, **facts: object) -> None:
        with scene.auth.db.unit(Actor("human", str(person.id), scene.org.id)) as tx:
            tx.audit(action, "user", target, **facts)

    entry(people["founder"], "auth:org:created", scene.org.id)
    entry(people["saml"], "auth:member:joined", people["saml"].id, by="saml")
    entry(scene.admin, "scim:member:joined", people["scim"].id)
    entry(people["invited"], "auth:member:joined", people["invited"].id, invitation_id=invitation)
    people["saml"].token(minutes_ago=60 * 24 * 3)
    scene.auth.database.owner.run("update core.users set disabled_at = now() where id = :id", id=people["old"].id)
    files = scene.build()
    members = {row["email"].partition("@")[0]: row for row in rows_of(files, "access/members-0001.jsonl")}
    assert {name: row["came_by"] for name, row in members.items()} == {
        "saml": "saml", "scim": "scim", "founder": "founder", "invited": "invitation", "old": "unknown", "admin": "unknown",
    }  # fmt: skip
    assert members["invited"]["granted_by_email"] == scene.admin.email
    assert members["saml"]["last_sign_in_at"] is not None
    assert members["founder"]["last_change_at"] is not None
    assert members["old"]["notes"] == ["account switched off", "how they came is not in the audit log", "no use known"]


def test_a_slice_of_the_log_hangs_in_the_chain_before_it_and_in_its_anchors(scene: Scene) -> None:
    first = scene.build()
    told = json.loads(first["audit-log/attestation.json"])
    scene.auth.tick("/_events/audit-anchors")
    kept = f"{told['last_seq']}:{told['end_hash']}"
    export_id = scene.ask()["id"]
    scene.finish(export_id)
    content = scene.content(export_id)
    assert scene.verify(content, known=verify_pack.read_known(kept)).problems == []
    again = json.loads({file.path: file.content for file in unpacked(content)}["audit-log/attestation.json"])
    assert again["whole_chain"]["ok"]
    assert len(again["anchors"]) == again["whole_chain"]["anchors"] == 1
    start = scene.auth.clock.now()
    scene.auth.clock.advance(10)
    later = scene.build(from_at=start.isoformat())
    assert json.loads(later["audit-log/attestation.json"])["chain"] == f"org/{scene.org.id}"


def test_a_window_in_which_nothing_happened_makes_a_pack_all_the_same(scene: Scene) -> None:
    start = scene.auth.clock.now() - 3 * DAY
    files = scene.build(from_at=start.isoformat(), to_at=(start + DAY).isoformat())
    assert files["audit-log/entries-0001.jsonl"] == b""
    assert files["drift/items-0001.csv"].startswith(b"id,account_id")


def test_a_chain_that_was_tampered_with_is_told_and_not_hidden(scene: Scene) -> None:
    scene.build()
    scene.own("alter table core.audit_log disable trigger audit_log_rows")
    try:
        scene.own("update core.audit_log set actor_id = 'nobody' where org_id = :org_id and seq = 2")
    finally:
        scene.own("alter table core.audit_log enable always trigger audit_log_rows")
    export_id = scene.ask()["id"]
    scene.finish(export_id)
    (problem,) = scene.verify(scene.content(export_id)).problems
    assert "found its audit chain broken" in problem


def test_another_organisations_rows_are_in_no_pack(scene: Scene, auth: AuthFunction) -> None:
    other = Scene(auth, auth.org("team", "Strangers"))
    fill(other)
    other.org.key(other.admin, "read")
    files = scene.build()
    whole = b"".join(files.values())
    assert str(other.org.id).encode() not in whole
    assert str(other.admin.id).encode() not in whole
    assert rows_of(files, "drift/items-0001.jsonl") == []


# Who gets one


def test_people_who_are_admins_ask_for_packs_and_nobody_else(scene: Scene) -> None:
    export_id = scene.ask()["id"]
    member, owner = scene.org.person("member"), scene.org.person("owner")
    paths: list[tuple[str, str, Any]] = [("POST", scene.path, {}), ("GET", scene.path, None), ("GET", f"{scene.path}/{export_id}", None), ("DELETE", f"{scene.path}/{export_id}", None), ("GET", f"{scene.path}/{export_id}/download", None)]  # fmt: skip
    key = scene.org.key(owner, "admin")
    for method, path, body in paths:
        member.refused(method, path, body, status=403, code="role_required")
        owner.refused(method, path, body, status=403, code="human_required", token=key)
    stranger = Scene(scene.auth, scene.auth.org("team")).admin
    stranger.refused("GET", paths[2][1], status=404, code="not_found")
    mine = paths[2][1].replace(str(scene.org.id), str(stranger.auth.org("team").id))
    stranger.refused("GET", mine, status=404, code="not_found")


def test_plans_say_how_far_back(auth: AuthFunction) -> None:
    free, team, enterprise = (Scene(auth, auth.org(plan)) for plan in ("free", "team", "enterprise"))
    refused = free.admin.refused("POST", free.path, {}, status=402, code="feature_required")
    assert refused["required_plan"] == "team"
    long_ago = {"from_at": "2024-01-01T00:00:00Z"}
    refused = team.admin.refused("POST", team.path, long_ago, status=402, code="audit_window_too_long")
    assert (refused["required_plan"], refused["cap"]) == ("enterprise", 30)
    assert enterprise.ask(**long_ago)["from_at"] == "2024-01-01T00:00:00Z"
    team.admin.refused("POST", team.path, {"to_at": "2999-01-01T00:00:00Z"}, status=422, code="invalid")
    team.admin.refused("POST", team.path, {"since": "x"}, status=422, code="invalid")


def test_two_are_built_at_a_time_and_the_answer_to_a_repeated_request_is_the_same(scene: Scene) -> None:
    first = scene.admin.done("POST", scene.path, {}, status=202, Idempotency_Key="k")
    assert scene.admin.done("POST", scene.path, {}, status=202, Idempotency_Key="k") == first
    scene.ask()
    refused = scene.admin.refused("POST", scene.path, {}, status=409, code="too_many_audit_exports")
    assert (refused["open"], refused["most_open"]) == (2, 2)
    assert scene.admin.call("DELETE", f"{scene.path}/{first['id']}").status_code == 204
    listed = [scene.ask(), *scene.admin.done("GET", scene.path)["items"]]
    assert [item["id"] for item in listed[:1]] == [listed[1]["id"]]
    assert {answer.status_code for answer in scene.deliver()} == {204}, (
        "a message about a pack that is gone does no harm"
    )


def test_asking_building_fetching_and_deleting_are_audited_and_told(scene: Scene) -> None:
    export_id = scene.ask()["id"]
    scene.finish(export_id)
    scene.content(export_id)
    assert scene.admin.call("DELETE", f"{scene.path}/{export_id}").status_code == 204
    steps = ["created", "finished", "downloaded", "deleted"]
    assert scene.actions() == [f"auth:audit_export:{step}" for step in steps]
    for step in steps:
        told = [item["export_id"] for item in scene.auth.events(f"auth:audit_export:{step}")]
        assert told.count(export_id) == 1
    scene.admin.refused("GET", f"{scene.path}/{export_id}/download", status=404, code="not_found")
    assert scene.count_parts() == 0


# Workers


def test_a_pack_is_built_in_turns_and_says_how_far_it_is(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(scene)
    slow = packing.next_step

    def step(job: Any) -> Any:
        scene.auth.clock.advance(audit_packing._MOST_SECONDS)
        return slow(job)

    monkeypatch.setattr(audit_packing, "next_step", step)
    shown = scene.ask()
    seen = [shown["sections_done"]]
    while shown["status"] in {"pending", "running"}:
        assert [answer.status_code for answer in scene.deliver()] == [204]
        shown = scene.show(shown["id"])
        seen.append(shown["sections_done"])
    assert seen == list(range(shown["sections"] + 1))
    assert scene.verify(scene.content(shown["id"])).is_ok


def test_long_tables_go_on_in_further_files(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(scene)
    monkeypatch.setattr(packs, "FILE_BYTES", 10)
    monkeypatch.setattr(packing, "_PAGE_ROWS", 1)
    files = scene.build()
    numbers = [path for path in files if path.startswith("drift/items-") and path.endswith(".jsonl")]
    assert len(numbers) == 5
    assert sum(len(rows_of(files, path)) for path in numbers) == 5


def test_a_worker_that_is_killed_leaves_whole_files_and_the_next_one_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after each number of files that were sealed: between storing, within a step, at the very end."""

    class Killed(BaseException):
        pass

    export_id = scene.ask()["id"]
    real, sealed = Envelope.seal, []

    def seal(envelope: Envelope, plaintext: Secret, place: Place) -> bytes:
        if place.table == "core.audit_export_parts":
            sealed.append(place)
            if len(sealed) % 4 == 0:
                raise Killed
        return real(envelope, plaintext, place)

    monkeypatch.setattr(Envelope, "seal", seal)
    kills, before = 0, -1
    while scene.show(export_id)["status"] != "done":
        try:
            scene.deliver()
        except Killed:
            kills += 1
            shown = scene.show(export_id)
            assert shown["files"] > before
            before = shown["files"]
            assert scene.sweep() == 0, "it is still held"
            scene.auth.clock.advance(audit_packing._LEASE.total_seconds() + 1)
            assert scene.sweep() == 1
    assert kills >= 4
    report = scene.verify(scene.content(export_id))
    assert report.problems == []
    assert scene.count_parts() == report.files + 3


def test_two_workers_do_not_meet(scene: Scene) -> None:
    export_id = scene.ask()["id"]
    (message,) = [item for item in scene.auth.queue.messages(TOPIC) if item.payload["export_id"] == export_id]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(scene.push, [message] * 4))
    assert {answer.status_code for answer in answers} == {204}
    assert scene.show(export_id)["status"] == "done"
    assert scene.actions().count("auth:audit_export:finished") == 1
    assert scene.verify(scene.content(export_id)).is_ok


def test_while_kms_or_the_anchors_are_away_the_queue_comes_again_and_nothing_is_lost(scene: Scene) -> None:
    export_id = scene.ask()["id"]
    scene.auth.deps.anchors.is_away = True  # type: ignore[attr-defined]
    (answer,) = scene.deliver()
    assert answer.status_code == 503
    files = scene.show(export_id)["files"]
    assert files == 2
    scene.auth.deps.anchors.is_away = False  # type: ignore[attr-defined]
    (message,) = [item for item in scene.auth.queue.messages(TOPIC) if item.payload["export_id"] == export_id]
    assert scene.push(message).status_code == 204
    assert scene.show(export_id)["status"] == "done"
    token = scene.admin.token()
    scene.auth.vault.is_away = True
    assert scene.admin.call("GET", f"{scene.path}/{export_id}/download", token=token).status_code == 503
    scene.auth.vault.is_away = False
    assert scene.verify(scene.content(export_id)).is_ok


@pytest.mark.parametrize(
    ("module", "limit"),
    [(domain, "MOST_FILES"), (domain, "MOST_CONTENT_BYTES"), (domain, "MOST_PACKED_BYTES"), (packs, "MOST_FILE_BYTES")],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_what_grows_too_large_fails_with_the_reason_and_leaves_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, module: Any, limit: str
) -> None:
    monkeypatch.setattr(module, limit, 5)
    export_id = scene.ask()["id"]
    scene.deliver()
    shown = scene.show(export_id)
    assert (shown["status"], shown["error_code"]) == ("failed", "too_large")
    assert scene.count_parts() == 0
    assert scene.actions() == ["auth:audit_export:created", "auth:audit_export:failed"]
    scene.admin.refused("GET", f"{scene.path}/{export_id}/download", status=409, code="audit_export_unfinished")


def test_what_never_gets_on_is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(audit_packing, "next_step", broken)
    export_id = scene.ask()["id"]
    (message,) = [item for item in scene.auth.queue.messages(TOPIC) if item.payload["export_id"] == export_id]
    for _ in range(domain.MOST_TRIES):
        assert scene.push(message).status_code == 500
        assert scene.push(message).status_code == 204, "it is held"
        scene.auth.clock.advance(audit_packing._LEASE.total_seconds() + 1)
    assert scene.push(message).status_code == 204
    assert scene.show(export_id)["error_code"] == "too_many_tries"


# Keeping and fetching


def test_a_pack_is_kept_for_seven_days(auth: AuthFunction) -> None:
    scene = Scene(auth, auth.org("team"))
    export_id = scene.ask()["id"]
    scene.finish(export_id)
    scene.auth.clock.advance((domain.KEPT_FOR - timedelta(minutes=1)).total_seconds())
    scene.auth.tick("/_events/audit-export-sweep")
    assert scene.fetch(export_id).status_code == 200
    scene.auth.clock.advance(120)
    assert scene.auth.tick("/_events/audit-export-sweep")["deleted"] >= 1
    scene.admin.refused("GET", f"{scene.path}/{export_id}", status=404, code="not_found")
    assert scene.count_parts() == 0
    assert scene.actions()[-1] == "auth:audit_export:expired"


def test_a_download_goes_on_where_it_broke_off(scene: Scene) -> None:
    export_id = scene.ask()["id"]
    scene.finish(export_id)
    answer = scene.fetch(export_id)
    whole = received(answer)
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Length"] == str(len(whole)) == str(scene.show(export_id)["packed_bytes"])
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="driftwise-audit-')
    for start in (1, 30, len(whole) // 2, len(whole) - 1):
        rest = scene.fetch(export_id, Range=f"bytes={start}-")
        assert (rest.status_code, received(rest)) == (206, whole[start:])
        assert rest.headers["Content-Range"] == f"bytes {start}-{len(whole) - 1}/{len(whole)}"
    assert scene.content(export_id, Range=f"bytes={len(whole)}-") == whole


def test_parts_are_sealed_for_their_place(scene: Scene) -> None:
    export_id = scene.ask()["id"]
    scene.finish(export_id)
    stored = b"".join(
        bytes(row[0])
        for row in scene.own("select content_encrypted from core.audit_export_parts where org_id = :org_id")
    )
    assert b"PK\x03\x04" not in stored
    assert b"manifest.json" not in stored
    swap = (
        "update core.audit_export_parts p set content_encrypted = o.content_encrypted from core.audit_export_parts o "
        "where p.org_id = :org_id and o.org_id = :org_id and p.export_id = :id and o.export_id = :id and p.number = :to and o.number = :of"
    )
    scene.own(swap, id=export_id, to=1, of=2)
    assert scene.fetch(export_id).status_code == 500


def test_a_part_that_cannot_be_read_ends_the_download_before_its_length(scene: Scene) -> None:
    export_id = scene.ask()["id"]
    scene.finish(export_id)
    scene.own("update core.audit_export_parts set content_encrypted = '\\x00' where org_id = :org_id and number = 3")
    answer = scene.fetch(export_id)
    assert answer.status_code == 200
    with pytest.raises(CiphertextRefused):
        received(answer)
