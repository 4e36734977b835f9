"""API keys over a real Postgres, as the function's own login: rotation, networks, uses, peppers and leaks."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Request, Response
from werkzeug.test import EnvironBuilder

from functions.keys.routes import ROUTES
from functions.keys.wiring import KeysDeps
from shared.http.app import App
from shared.ports.clock import SystemEntropy
from shared.security.api_keys import hash_key, make_key, parse_key
from shared.security.authentication import Authenticator, EventVerifier
from shared.security.peppers import Peppers
from shared.security.reporter_signatures import ReporterKeys, read_reporter_keys
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import JwksCache
from shared.settings import Settings
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore
from tests.support.database import ClonedDatabase

PUBLIC_URL = "https://driftwise.example"
REPORTER = ec.generate_private_key(ec.SECP256R1())
REPORT = "/api/v2/secret-scanning/report"


@dataclass
class Function:
    """The keys function, as one process runs it, over a database of the test's own."""

    database: ClonedDatabase
    secrets: MemorySecretStore
    vault: MemoryKeyManager
    clock: FakeClock
    keys_url: str = ""
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    sessions: dict[tuple[UUID, datetime], UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings: Settings = self.database.settings("keys", public_url=PUBLIC_URL)
        self.issuer = TokenIssuer(self.vault, "token-signing", PUBLIC_URL, self.clock)
        self.db = self.database.build_database("keys", self.queue)
        self.peppers = Peppers(self.secrets, self.clock)
        jwks = JwksCache("", self.clock, fetch=lambda _: json.dumps(self.issuer.jwks()).encode())
        self.deps = KeysDeps(
            settings=self.settings,
            db=self.db,
            queue=self.queue,
            secrets=self.secrets,
            peppers=self.peppers,
            clock=self.clock,
            entropy=SystemEntropy(),
            authenticator=Authenticator(self.db, self.peppers, jwks, self.settings, self.clock),
            events=EventVerifier(jwks, self.settings, self.clock),
            reporter_keys=ReporterKeys(self.keys_url, self.clock, read=read_reporter_keys),
        )
        self.app: App[KeysDeps] = App("keys", lambda _: self.deps, ROUTES, settings=self.settings)

    def token(self, user_id: UUID) -> str:
        now = self.clock.now()
        if (
            user_id,
            now,
        ) not in self.sessions:  # threads share the owner's connection: the first call signs the person in
            self.sessions[user_id, now] = self.database.make_session(user_id, now)
        body = {"sub": str(user_id), "sid": str(self.sessions[user_id, now])}
        return self.issuer.issue(body, audience=PUBLIC_URL, kind="at+jwt", lifetime=timedelta(hours=1))

    def call(
        self, method: str, path: str, token: str = "", body: Any = None, *, content: bytes = b"", headers: Any = (), address: str = "127.0.0.1"
    ) -> Response:  # fmt: skip
        sent = {"X-Forwarded-For": address, **dict(headers)}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        content = json.dumps(body).encode() if body is not None else content
        builder = EnvironBuilder(path=path, method=method, headers=sent, input_stream=BytesIO(content))
        environ = builder.get_environ() | {"CONTENT_LENGTH": str(len(content)), "CONTENT_TYPE": "application/json"}
        return self.app.handle(Request(environ))


@dataclass
class Org:
    """An organisation with an owner, and the function it talks to."""

    function: Function
    id: UUID
    owner: UUID

    def path(self, rest: str = "") -> str:
        return f"/api/v2/orgs/{self.id}/api-keys{rest}"

    def make(self, **wish: Any) -> dict[str, Any]:
        return self.done("POST", "", {"name": "ci", "scopes": ["read"], **wish}, status=201)

    def rotate(self, key_id: str, **wish: Any) -> dict[str, Any]:
        return self.done("POST", f"/{key_id}/rotate", wish, status=201)

    def shown(self, key_id: str) -> dict[str, Any]:
        return self.done("GET", f"/{key_id}", None)

    def done(self, method: str, rest: str, body: Any, *, status: int = 200) -> dict[str, Any]:
        answer = self.call(method, rest, body)
        assert answer.status_code == status, answer.get_data(as_text=True)
        found: dict[str, Any] = json.loads(answer.get_data())
        return found

    def refused(self, method: str, rest: str, body: Any, status: int, code: str) -> dict[str, Any]:
        answer = self.call(method, rest, body)
        found: dict[str, Any] = json.loads(answer.get_data())
        assert (answer.status_code, found["code"]) == (status, code), found
        return found

    def call(self, method: str, rest: str, body: Any, **options: Any) -> Response:
        return self.function.call(method, self.path(rest), self.function.token(self.owner), body, **options)

    def use(self, raw: str, address: str = "127.0.0.1", function: Function | None = None, **headers: str) -> int:
        """Use a key and return the status."""
        found = (function or self.function).call("GET", self.path(), raw, address=address, headers=headers)
        return found.status_code

    def row(self, key_id: str) -> dict[str, Any]:
        names = (
            "secret_hash",
            "pepper_version",
            "last_used_at",
            "revoked_at",
            "expires_at",
            "replaces_id",
            "created_by",
        )
        rows = self.function.database.owner.run(
            f"select {', '.join(names)} from core.api_keys where id = :id", id=key_id
        )
        return dict(zip(names, rows[0], strict=True))

    def audits(self) -> list[tuple[str, str, dict[str, Any], str]]:
        rows = self.function.database.owner.run(
            "select action, target_id, cast(facts as text), actor_id from core.audit_log where org_id = :org_id order by id",
            org_id=self.id,
        )
        return [(row[0], row[1], json.loads(row[2]), row[3]) for row in rows]


@pytest.fixture
def secrets() -> MemorySecretStore:
    found = MemorySecretStore()
    found.add_version("api-key-pepper", b"first pepper".ljust(32))
    return found


@pytest.fixture
def vault() -> MemoryKeyManager:
    found = MemoryKeyManager()
    found.add_signing_key("token-signing")
    return found


@pytest.fixture
def clock(database: ClonedDatabase) -> FakeClock:
    return FakeClock(database.owner.run("select now()")[0][0])  # the database tells its own time, and it moves on


@pytest.fixture
def function(
    database: ClonedDatabase, secrets: MemorySecretStore, vault: MemoryKeyManager, clock: FakeClock
) -> Iterator[Function]:
    with published(REPORTER) as url:
        yield Function(database, secrets, vault, clock, url)


@pytest.fixture
def org(function: Function) -> Org:
    return new_org(function)


def new_org(function: Function, plan: str = "enterprise") -> Org:
    org_id = function.database.make_org(plan=plan)
    return Org(function, org_id, function.database.make_member(org_id, "owner"))


@contextmanager
def published(*keys: ec.EllipticCurvePrivateKey) -> Iterator[str]:
    """Publish keys as GitHub does; yields the address."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    listed = [
        {
            "key_identifier": f"key-{number}",
            "key": key.public_key().public_bytes(serialization.Encoding.PEM, form).decode(),
            "is_current": True,
        }
        for number, key in enumerate(keys, 1)
    ]
    content = json.dumps({"public_keys": listed}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


# --- rotation ---------------------------------------------------------------------------------------------------------


def test_a_rotated_key_works_beside_its_successor_for_the_grace(org: Org) -> None:
    ends = (org.function.clock.now() + timedelta(days=90)).isoformat()
    old = org.make(name="deploy", scopes=["read", "write"], cidrs=["127.0.0.0/8"], expires_at=ends)
    assert org.use(old["raw_key"]) == 200
    new = org.rotate(old["id"], grace_seconds=3600)
    assert [new[name] for name in ("name", "scopes", "cidrs")] == ["deploy", ["read", "write"], ["127.0.0.0/8"]]
    assert new["expires_at"] == old["expires_at"]
    assert (new["replaces_id"], org.shown(old["id"])["replaced_by_id"]) == (old["id"], new["id"])
    assert new["raw_key"] != old["raw_key"]
    assert [org.use(key["raw_key"]) for key in (old, new)] == [200, 200]
    org.function.clock.advance(3599)
    assert org.use(old["raw_key"]) == 200
    org.function.clock.advance(1)
    assert [org.use(key["raw_key"]) for key in (old, new)] == [401, 200]


def test_without_grace_the_old_key_is_dead_at_once(org: Org) -> None:
    old = org.make()
    assert org.use(old["raw_key"]) == 200
    new = org.rotate(old["id"], grace_seconds=0)
    assert [org.use(key["raw_key"]) for key in (old, new)] == [401, 200]


def test_a_rotation_is_in_the_audit_log_and_told_without_the_key(org: Org) -> None:
    old = org.make()
    new = org.rotate(old["id"])
    action, target, facts, _ = org.audits()[-1]
    assert (action, target, facts["new_key_id"]) == ("keys:api_key:rotated", old["id"], new["id"])
    message = org.function.queue.messages("org-events")[-1]
    assert (message.payload["event"], message.payload["new_key_id"]) == ("keys:api_key:rotated", new["id"])
    for text in (str(org.audits()), str(message.payload)):
        assert new["raw_key"][16:] not in text


def test_a_rotation_is_possible_at_the_plans_limit_and_counts_as_one_key(function: Function) -> None:
    org = new_org(function, "free")
    first, _second = org.make(), org.make()
    third = org.rotate(first["id"])
    org.refused("POST", "", {"name": "x", "scopes": ["read"]}, 402, "key_limit_reached")
    assert org.call("DELETE", f"/{third['id']}", None).status_code == 204
    assert org.use(first["raw_key"]) == 200, "the old key's grace ended with its successor"
    org.refused("POST", "", {"name": "x", "scopes": ["read"]}, 402, "key_limit_reached")
    assert org.call("DELETE", f"/{first['id']}", None).status_code == 204
    org.make()


def test_what_cannot_be_rotated_says_why(org: Org) -> None:
    old = org.make()
    new = org.rotate(old["id"])
    assert org.refused("POST", f"/{old['id']}/rotate", {}, 409, "key_rotated")["replaced_by_id"] == new["id"]
    assert org.refused("POST", f"/{new['id']}/rotate", {}, 409, "rotation_under_way")["older_key_id"] == old["id"]
    org.call("DELETE", f"/{old['id']}", None)
    newest = org.rotate(new["id"], grace_seconds=0)
    org.call("DELETE", f"/{newest['id']}", None)
    org.refused("POST", f"/{newest['id']}/rotate", {}, 409, "key_revoked")
    soon = (org.function.clock.now() + timedelta(seconds=1)).isoformat()
    short = org.make(expires_at=soon)
    org.function.clock.advance(1)
    org.refused("POST", f"/{short['id']}/rotate", {}, 409, "key_expired")
    org.refused("POST", f"/{UUID(int=1)}/rotate", {}, 404, "not_found")
    for wrong in ({"grace_seconds": -1}, {"grace_seconds": 604_801}, {"grace_seconds": "1"}, {"grace": 1}):
        org.refused("POST", f"/{newest['id']}/rotate", wrong, 422, "invalid")


def test_many_rotations_at_once_make_one_successor(org: Org) -> None:
    old = org.make()
    with ThreadPoolExecutor(6) as pool:
        answers = [
            answer.status_code for answer in pool.map(lambda _: org.call("POST", f"/{old['id']}/rotate", {}), range(6))
        ]
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]


def test_a_repeated_rotation_makes_one_key_and_shows_it_once(org: Org) -> None:
    old, headers = org.make(), {"Idempotency-Key": "again"}
    first, again = (org.call("POST", f"/{old['id']}/rotate", {}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert json.loads(again.get_data()) == json.loads(first.get_data()) | {"raw_key": None}


def test_who_rotates_a_key_stands_for_it_from_then_on(org: Org) -> None:
    database = org.function.database
    leaver = Org(org.function, org.id, database.make_member(org.id, "admin"))
    old = leaver.make(scopes=["admin"])
    new = org.rotate(old["id"])
    database.owner.run("delete from core.members where user_id = :id", id=leaver.owner)
    assert [org.use(key["raw_key"]) for key in (old, new)] == [401, 200]


def test_a_deleted_key_does_not_take_its_successor_along(org: Org) -> None:
    old = org.make()
    new = org.rotate(old["id"])
    org.function.database.owner.run("delete from core.api_keys where id = :id", id=old["id"])
    assert org.shown(new["id"])["replaces_id"] is None
    assert org.use(new["raw_key"]) == 200


def test_keys_of_others_are_not_rotated(org: Org) -> None:
    stranger = new_org(org.function)
    old = org.make()
    stranger.refused("POST", f"/{old['id']}/rotate", {}, 404, "not_found")
    assert org.shown(old["id"])["replaced_by_id"] is None


# --- networks ---------------------------------------------------------------------------------------------------------


def test_a_key_is_refused_from_outside_its_networks_like_an_unknown_one(org: Org) -> None:
    made = org.make(cidrs=["203.0.113.0/24", "2001:db8::/32", "203.0.113.0/24"])
    assert made["cidrs"] == ["203.0.113.0/24", "2001:db8::/32"]
    assert org.shown(made["id"])["cidrs"] == made["cidrs"]
    for inside in ("203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7", "10.0.0.1, 203.0.113.7"):
        assert org.use(made["raw_key"], inside) == 200, inside
    unknown = org.function.call("GET", org.path(), make_key(SystemEntropy()).reveal(), address="198.51.100.7")
    for outside in (
        "198.51.100.7",
        "203.0.113.7, 198.51.100.7",
        "203.0.113.7,",
        "203.0.113.7:443",
        "",
        "for=203.0.113.7",
    ):
        answer = org.function.call("GET", org.path(), made["raw_key"], address=outside)
        assert answer.status_code == 401, f"let in from {outside!r}"
        told, same = (json.loads(item.get_data()) for item in (answer, unknown))
        assert told | {"request_id": ""} == same | {"request_id": ""}


@pytest.mark.parametrize(
    "cidrs", [["10.0.0.1/8"], ["x"], [1], "10.0.0.0/8", [f"10.0.{n}.0/24" for n in range(51)], None]
)
def test_wrong_networks_make_no_key(org: Org, cidrs: Any) -> None:
    org.refused("POST", "", {"name": "x", "scopes": ["read"], "cidrs": cidrs}, 422, "invalid")


# --- uses and peppers -------------------------------------------------------------------------------------------------


def test_the_last_use_is_known_to_ten_minutes_and_costs_one_write(org: Org) -> None:
    made, clock, database = org.make(), org.function.clock, org.function.database
    assert org.shown(made["id"])["last_used_at"] is None
    for _ in range(20):
        assert org.use(made["raw_key"]) == 200
        clock.advance(20)
    first = org.shown(made["id"])["last_used_at"]
    assert first is not None
    ((before,),) = database.owner.run("select xmin::text from core.api_keys where id = :id", id=made["id"])
    other = Function(database, org.function.secrets, org.function.vault, clock)
    for _ in range(5):
        assert org.use(made["raw_key"], function=other) == 200
        clock.advance(4)
    ((after,),) = database.owner.run("select xmin::text from core.api_keys where id = :id", id=made["id"])
    assert before == after, "a second process wrote again within ten minutes"
    database.owner.run(
        "update core.api_keys set last_used_at = last_used_at - interval '11 minutes' where id = :id", id=made["id"]
    )
    clock.advance(600)
    assert org.use(made["raw_key"]) == 200
    assert org.row(made["id"])["last_used_at"] is not None
    assert org.shown(made["id"])["last_used_at"] >= first


def test_a_key_that_somebody_holds_locked_is_used_without_waiting(org: Org) -> None:
    made = org.make()
    holder = org.function.database.connect("keys_login")
    holder.run("begin")
    holder.run("set local role keys_work")
    holder.run("select set_config('app.org_id', :org_id, true)", org_id=str(org.id))
    holder.run("select id from core.api_keys where id = :id for update", id=made["id"])
    assert org.use(made["raw_key"]) == 200
    holder.run("rollback")
    assert org.row(made["id"])["last_used_at"] is None, "it was noted although the row was locked"


def test_after_a_new_pepper_a_key_is_hashed_again_with_its_next_use(org: Org, secrets: MemorySecretStore) -> None:
    made = org.make()
    key = parse_key(made["raw_key"])
    assert key is not None
    assert org.use(made["raw_key"]) == 200
    secrets.add_version("api-key-pepper", b"second pepper".ljust(32))
    org.function.clock.advance(61)
    assert org.use(made["raw_key"]) == 200
    found = org.row(made["id"])
    assert found["pepper_version"] == 2
    assert bytes(found["secret_hash"]) == hash_key(key, secrets.read("api-key-pepper", "2"))
    secrets.disable_version("api-key-pepper", 1)
    fresh = Function(org.function.database, secrets, org.function.vault, org.function.clock)
    assert org.use(made["raw_key"], function=fresh) == 200, "the old pepper is still needed"


@pytest.mark.parametrize("login", ["keys_login", "scan_login", "auth_login"])
def test_noting_a_use_cannot_be_bent(org: Org, login: str) -> None:
    """What a login could try: another hash, an older pepper, a revoked key, without knowing the present hash."""
    made = org.make()
    before = org.row(made["id"])
    public_id, known = made["prefix"].removeprefix("dw2_"), bytes(before["secret_hash"])
    connection = org.function.database.connect(login)

    def note(known_hash: bytes, new_hash: bytes, version: int) -> bool:
        sql = "select core.note_api_key_use(:public_id, :known, :new, :version)"
        found = connection.run(sql, public_id=public_id, known=known_hash, new=new_hash, version=version)
        return bool(found[0][0])

    assert note(bytes(32), b"x" * 32, 2) is False, "without the present hash"
    assert note(known, b"x" * 32, 1) is True, "a plain note"
    assert bytes(org.row(made["id"])["secret_hash"]) == known, "another hash under the same pepper"
    assert note(known, b"x" * 32, 0) is False
    org.call("DELETE", f"/{made['id']}", None)
    assert note(known, b"x" * 32, 2) is False, "a revoked key"
    assert org.row(made["id"])["pepper_version"] == 1


# --- revocation in every process --------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_by_every_process_within_three_seconds(org: Org) -> None:
    made, here = org.make(), org.function
    others = [Function(here.database, here.secrets, here.vault, here.clock) for _ in range(3)]
    assert {org.use(made["raw_key"], function=item) for item in (here, *others)} == {200}
    assert org.call("DELETE", f"/{made['id']}", None).status_code == 204
    assert org.use(made["raw_key"]) == 401, "the process that revoked it still lets it in"
    here.clock.advance(3)
    assert [org.use(made["raw_key"], function=item) for item in others] == [401, 401, 401]


# --- leaks ------------------------------------------------------------------------------------------------------------


def report(function: Function, finds: Any, *, key: Any = REPORTER, kid: str = "key-1", **headers: str) -> Response:
    content = finds if isinstance(finds, bytes) else json.dumps(finds).encode()
    signature = base64.b64encode(key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()
    signed = {"Github-Public-Key-Identifier": kid, "Github-Public-Key-Signature": signature, **headers}
    return function.call("POST", REPORT, content=content, headers=signed)


def find_of(token: str, place: str = "a.txt") -> dict[str, str]:
    return {
        "token": token,
        "type": "driftwise_api_key",
        "url": f"https://github.com/o/r/blob/1/{place}",
        "source": "content",
    }


def told(answer: Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {item["token_hash"]: item["label"] for item in json.loads(answer.get_data())}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def test_a_leaked_key_is_dead_audited_and_told(org: Org) -> None:
    made = org.make(name="deploy")
    raw = made["raw_key"]
    assert org.use(raw) == 200
    assert told(report(org.function, [find_of(raw), find_of(raw, "b.txt")])) == {digest(raw): "true_positive"}
    assert org.use(raw) == 401
    action, target, facts, actor = org.audits()[-1]
    assert (action, target, actor) == ("keys:api_key:leaked", made["id"], "secret-scanning")
    assert [place["url"][-5:] for place in facts["places"]] == ["a.txt", "b.txt"]
    message = org.function.queue.messages("org-events")[-1]
    assert message.payload == {"event": "keys:api_key:leaked", "key_id": made["id"]}, (
        "what people wrote goes over the queue"
    )


def test_a_repeated_report_changes_nothing(org: Org) -> None:
    made = org.make()
    answers = [told(report(org.function, [find_of(made["raw_key"])])) for _ in range(3)]
    assert answers == [{digest(made["raw_key"]): "true_positive"}] * 3
    assert [item[0] for item in org.audits()].count("keys:api_key:leaked") == 1
    revoked_at = org.row(made["id"])["revoked_at"]
    org.function.clock.advance(60)
    report(org.function, [find_of(made["raw_key"])])
    assert org.row(made["id"])["revoked_at"] == revoked_at


def test_what_is_no_key_of_ours_gets_one_and_the_same_answer(org: Org) -> None:
    made, other = org.make(), make_key(SystemEntropy())
    ours = parse_key(made["raw_key"])
    assert ours is not None
    gone = new_org(org.function)
    of_gone = gone.make()["raw_key"]
    org.function.database.owner.run("update core.orgs set deleted_at = now() where id = :id", id=gone.id)
    same_id = type(ours)(ours.public_id, other.secret).reveal()
    tokens = [other.reveal(), same_id, "ghp_x", "", made["raw_key"][:-1] + "!", of_gone]
    assert told(report(org.function, [find_of(token) for token in tokens])) == {
        digest(token): "false_positive" for token in tokens
    }
    assert org.use(made["raw_key"]) == 200, "a key was revoked by somebody who knows its prefix only"


def test_one_report_may_name_keys_of_many_organisations(org: Org) -> None:
    orgs = [org, new_org(org.function), new_org(org.function)]
    made = [(item, item.make()) for item in orgs for _ in range(2)]
    finds = [find_of(key["raw_key"]) for _, key in made]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda turn: report(org.function, finds[::turn]), (1, -1, 1, -1)))
    assert {label for answer in answers for label in told(answer).values()} == {"true_positive"}
    assert {item.use(key["raw_key"]) for item, key in made} == {401}
    for item in orgs:
        assert [found[0] for found in item.audits()].count("keys:api_key:leaked") == 2


def test_a_dead_key_whose_pepper_is_gone_holds_no_report_up(org: Org, secrets: MemorySecretStore) -> None:
    dead, ended, live = (org.make()["raw_key"] for _ in range(3))
    rows = {item["raw"]: item for item in ({"raw": dead, "end": "revoked_at"}, {"raw": ended, "end": "expires_at"})}
    for raw, item in rows.items():
        key = parse_key(raw)
        assert key is not None
        org.function.database.owner.run(
            f"update core.api_keys set {item['end']} = now() where public_id = :public_id", public_id=key.public_id
        )
    secrets.add_version("api-key-pepper", b"second pepper".ljust(32))
    org.function.clock.advance(61)
    assert org.use(live) == 200
    secrets.disable_version("api-key-pepper", 1)
    fresh = Function(org.function.database, secrets, org.function.vault, org.function.clock, org.function.keys_url)
    answer = report(fresh, [find_of(raw) for raw in (dead, ended, live)])
    assert told(answer) == {
        digest(dead): "false_positive", digest(ended): "false_positive", digest(live): "true_positive"
    }  # fmt: skip


def test_a_live_key_whose_pepper_was_disabled_too_early_is_reported_again_later(
    org: Org, secrets: MemorySecretStore
) -> None:
    raw = org.make()["raw_key"]
    secrets.add_version("api-key-pepper", b"second pepper".ljust(32))
    secrets.disable_version("api-key-pepper", 1)
    fresh = Function(org.function.database, secrets, org.function.vault, org.function.clock, org.function.keys_url)
    assert report(fresh, [find_of(raw)]).status_code == 503
    secrets.enable_version("api-key-pepper", 1)
    org.function.clock.advance(60)
    assert told(report(fresh, [find_of(raw)])) == {digest(raw): "true_positive"}


def test_the_answer_has_githubs_documented_form(org: Org) -> None:
    vendor = json.loads(
        (Path(__file__).parents[2] / "fixtures" / "github" / "secret_scanning_report.json").read_text("utf-8")
    )
    (found,) = json.loads(report(org.function, [find_of(org.make()["raw_key"])]).get_data())
    assert list(found) == vendor["feedback_members"]
    assert found["label"] in vendor["feedback_labels"]
    assert found["token_type"] == "driftwise_api_key"


def test_an_unsigned_or_wrongly_signed_report_does_nothing(org: Org) -> None:
    raw = org.make()["raw_key"]
    finds = [find_of(raw)]
    stranger = ec.generate_private_key(ec.SECP256R1())
    answers = [
        report(org.function, finds, key=stranger),
        report(org.function, finds, kid="key-2"),
        report(org.function, finds, **{"Github-Public-Key-Signature": ""}),
        org.function.call("POST", REPORT, content=json.dumps(finds).encode()),
        org.function.call("POST", REPORT, content=b"{"),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert json.loads(answer.get_data())["code"] == "signature_refused"
    assert org.use(raw) == 200


@pytest.mark.parametrize(
    "body, status",
    [
        (b"{", 400), (b"", 400), (b'[{"token":"a","token":"b"}]', 400), (b"{}", 422), (b"[1]", 422), (b'[{"token":"a"}]', 422),
        (b'[{"token":1,"type":"t"}]', 422), (b"[]", 200), (b'[{"token":"a","type":"t","new_member":[1]}]', 200),
        (b'[{"token":"a","type":"t","url":""}]', 200),
    ],
)  # fmt: skip
def test_a_signed_report_is_read_strictly(org: Org, body: bytes, status: int) -> None:
    assert report(org.function, body).status_code == status


def test_a_key_in_the_place_of_its_find_is_not_kept(org: Org) -> None:
    raw = org.make()["raw_key"]
    find = find_of(raw) | {"url": f"https://pastebin.example/?q={raw}&x"}
    assert report(org.function, [find]).status_code == 200
    kept = str(org.audits()) + str([item.payload for item in org.function.queue.messages("org-events")])
    assert raw not in kept
    assert "https://pastebin.example/?q=dw2_(key)&x" in kept
