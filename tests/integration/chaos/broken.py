"""A small world in which everything holds, and one way to break each invariant."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from local_emulator.google.storage import Database, Journal, Message
from local_emulator.records import DataDirectory, ProcessRecord, Running, start_time, write_private
from shared.ports.clock import SystemEntropy
from shared.ports.secret_store import Secret
from shared.security.audit import Head, anchor_name, org_chain
from shared.security.envelope import Envelope
from shared.telemetry.log import LINES_LOST
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.object_store import MemoryObjectStore
from tests.chaos.calls import Call, Calls
from tests.chaos.invariants import World
from tests.chaos.invariants.sealed import SEALED
from tests.chaos.invariants.world import Owner
from tests.support.database import ClonedDatabase, DatabaseServer, actor_in
from tests.support.tenants import fill, tenant_tables

SECRET = "dwk_q7Zr/Wm2+Kp9xTnB4vLs8yHd"
_AUDIT = frozenset({"core.audit_log", "core.audit_heads"})

# What `fill` makes is open, half or without a whole around it; this is how it looks once it has settled.
_SETTLED = (
    "delete from core.outbox",
    "delete from webhook.body_claims",
    "update core.idempotency_keys set status = 201, body = '{}'",
    "update scan.scans set status = 'done', shards_total = 1, shards_done = 1",
    "update scan.shards set status = 'done'",
    "update scan.schedules set next_run_at = now() + interval '1 hour'",
    "update scan.asset_feeds set pending_since = null, due_at = null",
    "update scan.drift_items set attribution_due_at = null",
    "update webhook.deliveries_in set status = 'handled'",
    "update webhook.deliveries_out set status = 'delivered'",
    "update webhook.notification_channels set last_seq = 1",
    "update analysis.pull_request_comments set status = 'posted'",
    "update analysis.drift_narratives set status = 'done', narrative = '{}', written_at = now()",
    """update core.audit_exports set status = 'done', finished_at = now(), files = 0,
      packed_bytes = (select sum(p.packed_bytes) from core.audit_export_parts p where p.export_id = audit_exports.id)""",
)

# What else a row must hold for its sealed column to hold something.
_MORE = {
    "scan.cloud_accounts.credentials_encrypted": ", auth_kind = 'static_key', role_arn = null, external_id = null",
    "scan.state_sources.credentials_encrypted": ", auth_kind = 'static_key'",
    "webhook.configs.previous_secret_encrypted": ", previous_expires_at = now()",
    "webhook.notification_channels.current_secret_encrypted": ", kind = 'webhook'",
    "webhook.notification_channels.previous_secret_encrypted": ", previous_expires_at = now()",
}


@dataclass
class Scene:
    """The world, and how it is reached to break it."""

    world: World
    database: ClonedDatabase
    anchors: MemoryObjectStore
    mine: UUID
    other: UUID
    words: tuple[str, str]
    ticks: list[str]

    def run(self, sql: str, **values: Any) -> None:
        """Change the database behind everybody's back."""
        self.database.owner.run(sql, **values)

    def log(self, process: str, line: str) -> None:
        """Write a line into a log."""
        with self.world.data.log_file(process).open("a") as file:
            file.write(line + "\n")

    def call(self, **changes: Any) -> None:
        """Record an answer."""
        usual: dict[str, Any] = {
            "method": "GET", "path": "/api/v2/me", "status": 200, "code": "", "request_id": "r", "asked_at": 0.0, "took_seconds": 0.1,
            "has_retry_after": False, "is_typed": True,
        }  # fmt: skip
        self.world.calls.add(Call(**usual | changes))


@contextmanager
def whole_world(server: DatabaseServer, folder: Path) -> Generator[Scene]:
    """Make a world in which every invariant holds, with a row of two organisations in every table."""
    calls = Calls()
    calls.keep_secret(SECRET)
    words = calls.new_marker(), calls.new_marker()
    with server.clone() as database:
        tables = [table for table in tenant_tables(database) if table.name not in _AUDIT]
        mine, other = (fill(database, tables, word)[0] for word in words)
        for statement in _SETTLED:
            database.owner.run(statement)
        keys = MemoryKeyManager()
        _seal(database, keys)
        anchors = MemoryObjectStore()
        _audit(database, anchors, mine, other)
        data = DataDirectory(folder / "data")
        _directory(data)
        ticks: list[str] = []

        def tick(schedule: str) -> None:
            """Anchor every chain, as the schedule does, unless somebody lamed it."""
            if "lame" not in ticks:
                database.owner.run("update core.audit_heads set anchored_seq = seq")
            ticks.append(schedule)

        world = World(database.owner_url, calls, anchors, keys, data, tick, patience_seconds=0)
        scene = Scene(world, database, anchors, mine, other, words, ticks)
        _answers(scene)
        yield scene


def _seal(database: ClonedDatabase, keys: MemoryKeyManager) -> None:
    for key, columns in SEALED:
        if key not in keys.wrapping_keys():
            keys.add_wrapping_key(key)
        for column in columns:
            row_id = "sealing_id" if column.table == "scan.cluster_reports" else "id"
            for row in Owner(database.owner).rows(f"select org_id, {row_id} as id from {column.table}"):
                sealed = Envelope(keys, key, SystemEntropy()).seal(Secret(b"x"), column.place(row["org_id"], row["id"]))
                database.owner.run(
                    f"update {column.table} set {column.column} = :sealed{_MORE.get(column.name, '')} where {row_id} = :id",
                    sealed=sealed,
                    id=row["id"],
                )


def _audit(database: ClonedDatabase, anchors: MemoryObjectStore, *orgs: UUID) -> None:
    db = database.build_database("auth")
    for org_id in orgs:
        for action in ("auth:org:created", "auth:member:joined"):
            with db.unit(actor_in(org_id)) as tx:
                tx.audit(action, "org", org_id)
    for row in Owner(database.owner).rows("select org_id, seq, hash from core.audit_heads"):
        anchors.put_new(anchor_name(org_chain(row["org_id"]), Head(row["seq"], bytes(row["hash"]))), b"{}")


def _directory(data: DataDirectory) -> None:
    data.create(open_to_others=False)
    me = ProcessRecord("auth", os.getpid(), start_time(os.getpid()) or 0.0, {}, None, int(signal.SIGTERM), 0)
    data.write_running(Running(me, (me,)))
    write_private(data.emulator_file, {"processes": [{"name": "auth"}]})
    (data.path / "google").mkdir()
    with closing(Database(data.path / "google" / "pubsub.sqlite3")) as queue:
        Journal(queue).append("projects/p/subscriptions/a-listener-of-a-test", [message()])
    line = {"severity": "INFO", "message": "request", "request_id": "r"}
    fault = {
        "severity": "ERROR",
        "message": "request failed",
        "exception": trace("shared.data.errors.DatabaseAway: away"),
    }
    ended = "--- emulator 2026-11-26T14:00:00: ended with code -9; starting it again (1 of 5)"
    lines = [
        json.dumps(line),
        json.dumps(fault),
        '{"severity": "IN',
        ended,
        "[2026-11-26 14:00:00 +0000] [7] [ERROR] Worker was sent SIGKILL!",
    ]
    lines += [
        '{"severity": "INF',
        json.dumps({"severity": "WARNING", "message": LINES_LOST, "lines": 2}),
    ]  # a disk that was full
    data.log_file("auth").write_text("\n".join(lines) + "\n")
    data.log_file("scan_worker").write_text(
        json.dumps({"severity": "ERROR", "message": "message given up", "subscription": "scan-shards"}) + "\n"
    )


def _answers(scene: Scene) -> None:
    scene.call()
    scene.call(status=0)
    scene.call(status=404, code="not_found")
    scene.call(status=503, code="database_away", has_retry_after=True)
    scene.call(status=404, path=f"/scim/v2/{scene.mine}/Users")
    scene.call(path=f"/api/v2/orgs/{scene.mine}/analyze", method="POST", took_seconds=119.0)


def trace(end: str) -> str:
    """Return a traceback as it stands in a log."""
    return f'Traceback (most recent call last):\n  File "/srv/functions/x.py", line 7, in f\n    g()\n{end}'


def message() -> Message:
    """Return a message that waits."""
    return Message(1, b"{}", {}, "", datetime(2026, 1, 1, tzinfo=UTC), failures=3)


# Ways to break it: which invariant, what it says, and the deed


@dataclass(frozen=True)
class Break:
    """One thing that went wrong.

    Attributes:
        says: a part of the violation; names of the scene in braces.
    """

    invariant: str
    says: str
    do: Callable[[Scene], object]


def _row(column: str, name: str) -> str:
    return f"(select {column} from {name} where org_id = :org)"


def _tampered(scene: Scene) -> None:
    scene.run("alter table core.audit_log disable trigger all")
    scene.run("update core.audit_log set actor_id = 'somebody' where org_id = :org and seq = 2", org=scene.other)


def _cut(scene: Scene) -> None:
    scene.anchors.put_new(anchor_name(org_chain(scene.mine), Head(9, bytes(32))), b"{}")


def _told_twice(scene: Scene) -> None:
    scene.run("alter table core.audit_log disable trigger all")
    scene.run(
        "update core.audit_log set request_id = 'again', action = 'auth:org:created' where org_id = :org",
        org=scene.mine,
    )


def _queued(scene: Scene) -> None:
    with closing(Database(scene.world.queue_file)) as queue:
        Journal(queue).append("projects/p/subscriptions/scan-dead-letters", [message()])


def _copied(name: str, changes: str) -> Callable[[Scene], None]:
    """Insert a row of the first organisation's once more, with some columns changed."""

    def do(scene: Scene) -> None:
        sql = "select attname::text as name from pg_attribute where attrelid = cast(:name as regclass) and attnum > 0"
        columns: list[str] = [row["name"] for row in Owner(scene.database.owner).rows(sql, name=name)]
        given = dict(part.split(" = ", 1) for part in changes.split("; "))
        chosen, names = ", ".join(given.get(column, column) for column in columns), ", ".join(columns)
        scene.run(f"insert into {name} ({names}) select {chosen} from {name} where org_id = :org", org=scene.mine)

    return do


def _sql(statement: str) -> Callable[[Scene], None]:
    """Run a statement; `:org` and `:other` are the organisations, `:word` the other's."""

    def do(scene: Scene) -> None:
        values = {"org": scene.mine, "other": scene.other, "word": scene.words[1]}
        scene.run(statement, **{name: value for name, value in values.items() if f":{name}" in statement})

    return do


def _logged(process: str, **fields: str) -> Callable[[Scene], None]:
    return lambda scene: scene.log(process, json.dumps({"severity": "ERROR", **fields}))


def _ended(scene: Scene) -> None:
    gone = ProcessRecord("keys", 2**22 + 1, 1.0, {}, None, int(signal.SIGTERM), 0)
    running = scene.world.data.read_running()
    assert running is not None
    scene.world.data.write_running(Running(running.supervisor, (*running.children, gone)))
    write_private(scene.world.data.emulator_file, {"processes": [{"name": "auth"}, {"name": "webhook"}]})


BREAKS = (
    Break("audit chains", "org/{other}: entry 2 is altered", _tampered),
    Break("audit chains", "org/{mine} ends at entry 2; up to 9 was anchored", _cut),
    Break("audit chains", "org/{mine}: entry 1 is altered", lambda _scene: None),  # by the next one
    Break("audit anchors", "is anchored up to entry 0 of 2", lambda scene: scene.ticks.append("lame")),
    Break("database", "append-only: core.audit_log: audit_log_", lambda _scene: None),  # by the ones before
    Break("database", "row-level security: scan.gaps: row-level security is off", _sql(
        "alter table scan.gaps disable row level security")),
    Break("audit entries", "org {mine}: auth:org:created of org {mine} stands 2 times, request again", _told_twice),
    Break("foreign words", "scan.drift_items: 1 rows of org {mine} hold {word}", _sql(
        "update scan.drift_items set after = to_jsonb('a ' || :word) where org_id = :org")),
    Break("foreign words", "scan.cluster_objects: 1 rows of org {mine} hold {word}", _sql(
        "update scan.cluster_objects set object_sealed = convert_to(cast(:word as text), 'utf8') where org_id = :org")),
    Break("foreign ids", "scan.schedules: a row of org {mine} names", _sql(
        f"update scan.schedules set last_scan_id = {_row('id', 'scan.scans').replace(':org', ':other')} where org_id = :org")),
    Break("foreign ids", "webhook.deliveries_out: a row of org {mine} names {other}", _sql(
        "update webhook.deliveries_out set content = jsonb_build_object('link', '/orgs/' || cast(:other as text)) where org_id = :org")),
    Break("answers to others", "showed {word}", lambda scene: scene.world.calls.look_for_others(
        scene.words[0], "GET /x", f"it is {scene.words[1]}")),
    Break("left over", "1 messages in outboxes: org-events", _sql(
        "insert into core.outbox (org_id, topic, payload) values (:org, 'org-events', '{}')")),
    Break("left over", "1 scans: comparing", _sql("update scan.scans set status = 'comparing' where org_id = :org")),
    Break("left over", "1 shards", _sql("update scan.shards set status = 'running' where org_id = :other")),
    Break("left over", "1 schedules that are due", _sql(
        "update scan.schedules set next_run_at = now() - interval '1 hour' where org_id = :org")),
    Break("left over", "1 drift whose maker is to be looked up", _sql(
        "update scan.drift_items set attribution_due_at = now() - interval '1 hour' where org_id = :org")),
    Break("left over", "1 deliveries that came in", _sql(
        "update webhook.deliveries_in set status = 'received' where org_id = :other")),
    Break("left over", "1 notifications", _sql("update webhook.deliveries_out set status = 'pending' where org_id = :org")),
    Break("left over", "1 claims of bodies", _sql(
        "insert into webhook.body_claims (org_id, config_id, body_sha256, taken_as, claimed_at) "
        f"values (:org, {_row('id', 'webhook.configs')}, decode(repeat('00', 32), 'hex'), gen_random_uuid(), now())")),
    Break("left over", "1 comments", _sql("update analysis.pull_request_comments set status = 'pending' where org_id = :org")),
    Break("left over", "1 narratives", _sql(
        "update analysis.drift_narratives set status = 'pending', narrative = null, written_at = null where org_id = :org")),
    Break("left over", "1 packs: running", _sql(
        "update core.audit_exports set status = 'running', finished_at = null where org_id = :org")),
    Break("left over", "1 runs over sealed columns", _sql(
        "insert into core.reseal_runs (sealed_column, kind) values ('scan.cloud_accounts.credentials_encrypted', 'rewrap')")),
    Break("left over", "1 leases (scan.cloud_accounts.attribution_leased_until)", _sql(
        "update scan.cloud_accounts set attribution_leased_until = now() + interval '1 hour' where org_id = :org")),
    Break("left over", "1 messages of scan-dead-letters", _queued),
    Break("given up", "notification-events: nobody is told", _logged(
        "scan_worker", message="message given up", subscription="notification-events")),
    Break("deliveries", "org {mine}, config", _copied(
        "webhook.deliveries_in", "id = gen_random_uuid(); external_id = 'other'; received_at = received_at + interval '1 hour'")),
    Break("sealed values", "webhook.deliveries_in.body_encrypted, org {mine}", lambda _scene: None),  # moved by the one before
    Break("notifications", "x:y:z e stands 2 times", _sql(
        """update webhook.deliveries_out set content = '{"notices": [{"event": "x:y:z", "event_id": "e"}, {"event": "x:y:z", "event_id": "e"}]}'
        where org_id = :other""")),
    Break("notifications", "1 of 1 numbers up to 1, and 3 were given", _sql(
        "update webhook.notification_channels set last_seq = 3 where org_id = :org")),
    Break("scans", "2 of 1 shards counted", _sql("update scan.scans set shards_done = 2 where org_id = :other")),
    Break("replies", "was left with no answer", _sql("update core.idempotency_keys set status = null where org_id = :org")),
    Break("replies", "was left with 503", _sql("update core.idempotency_keys set status = 503 where org_id = :other")),
    Break("packs", "3 files in 1 parts up to number 1", _sql("update core.audit_exports set files = 3 where org_id = :other")),
    Break("foreign words", "core.orgs: 1 rows of org", lambda _scene: None),  # by the next one
    Break("organisations", "2 organisations are called {word}", _sql(
        "insert into core.orgs (id, name) values (gen_random_uuid(), :word)")),
    Break("errors", "GET /api/v2/me: 500 internal, request r5: a mistake of ours", lambda scene: scene.call(
        status=500, code="internal", request_id="r5")),
    Break("errors", "no problem document", lambda scene: scene.call(status=502, is_typed=False)),
    Break("errors", "no code", lambda scene: scene.call(status=400)),
    Break("errors", "when to come again", lambda scene: scene.call(status=429, code="rate_limited")),
    Break("waiting", "took 47.0 s, and the platform gives it 30 s", lambda scene: scene.call(
        path=f"/api/v2/orgs/{scene.mine}/api-keys", status=0, took_seconds=47.0)),
    Break("secrets in logs", "gateway, line 1: secret 0 of 1, URL-encoded", lambda scene: scene.log(
        "gateway", "GET /?key=dwk_q7Zr%2FWm2%2BKp9xTnB4vLs8yHd")),
    Break("secrets in logs", "auth, line", lambda scene: scene.log("auth", json.dumps({"severity": "INFO", "header": "eGR3a19xN1pyL1dtMitLcDl4VG5CNHZMczh5SGQ="}))),
    Break("log lines", "auth, line", lambda scene: scene.log("auth", "a line that is no record")),
    Break("log lines", "WORKER TIMEOUT", lambda scene: scene.log("auth", "[2026-11-26 14:00:00 +0000] [7] [CRITICAL] WORKER TIMEOUT")),
    Break("log lines", "the worst", lambda scene: scene.log("auth", json.dumps({"severity": "CRITICAL", "message": "the worst"}))),
    Break("log lines", "half a rec", lambda scene: scene.log("auth", '{"half a rec\n' + json.dumps({"severity": "INFO", "message": "request"}))),
    Break("exceptions", "scan_worker: 1 times KeyError at /srv/functions/x.py:7", _logged(
        "scan_worker", message="request failed", exception=trace("KeyError: 'x'"))),
    Break("exceptions", "scan_worker: 1 times OSError at /srv/functions/x.py:7", _logged(
        "scan_worker", message="unexpected error", exception=trace("OSError: [Errno 28] No space left on device"))),
    Break("exceptions", "auth: 1 times RuntimeError", lambda scene: scene.log("auth", trace("RuntimeError: past the log"))),
    Break("processes", "keys is gone", _ended),
    Break("processes", "webhook is not there any more", lambda _scene: None),  # by the one before
    Break("processes", "auth: --- emulator", lambda scene: scene.log(
        "auth", "--- emulator 2026-11-26T14:00:00: ended with code 1; crash 6 in a minute, it stays down")),
    Break("sealed values", "webhook.configs.current_secret_encrypted, org {mine}", _sql(
        "update webhook.configs set current_secret_encrypted = current_secret_encrypted || decode('00', 'hex') where org_id = :org")),
)  # fmt: skip
