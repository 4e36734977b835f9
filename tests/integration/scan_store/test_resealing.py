"""Sealed credentials are wrapped and encrypted anew over a real Postgres, as the function's own login: nothing is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from pg8000 import native

from functions.scan.queries import accounts
from functions.scan.wiring import CREDENTIALS
from shared.data import resealing
from shared.data.resealing import Progress, Resealer
from shared.data.sealed_columns import SealedQueries
from shared.ports.clock import SystemClock, SystemEntropy
from shared.ports.errors import ServiceAway
from shared.ports.key_manager import Wrapped
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.security.envelope import Envelope, key_version
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager
from tests.support.database import ClonedDatabase, actor_in
from tests.support.envelopes import seal_layout_1
from tests.support.logs import fresh_loggers

EVENT = Actor("event", "scheduler")
KEY = "credentials"


class Vault(MemoryKeyManager):
    """A vault that can be watched, and be made to end in the middle of things.

    Attributes:
        wrapped: how often it wrapped.
        before_wrap: called before each time.
        lags: wraps under the version before the newest, as KMS may for hours after a rotation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wrapped = 0
        self.before_wrap: Callable[[], None] = lambda: None
        self.lags = False
        self._lock = threading.Lock()
        self.add_wrapping_key(KEY)

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> Wrapped:
        if context == b"probe":
            return super().wrap(key, plaintext, context=context)
        with self._lock:
            self.wrapped += 1
            self.before_wrap()
        if not self.lags:
            return super().wrap(key, plaintext, context=context)
        with self._lock:
            versions = self._wrapping[key].versions
            number, newest = versions.popitem()
            found = super().wrap(key, plaintext, context=context)
            versions[number] = newest
            return found


@dataclass
class Safe:
    """Organisations with credentials, and the worker that looks after them."""

    database: ClonedDatabase
    vault: Vault = field(default_factory=Vault)
    plain: dict[tuple[UUID, UUID], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.db = self.database.build_database("scan")
        self.envelope = Envelope(self.vault, KEY, SystemEntropy())
        self.orgs = sorted(self.database.make_org() for _ in range(3))

    def connect(self, org_id: UUID, *, layout: int = 2, sealed: bytes | None = None) -> UUID:
        """Store credentials in a new row; returns its id."""
        row_id, plaintext = SystemEntropy().uuid(), f"AKIA{len(self.plain)}\nsecret".encode()
        place = CREDENTIALS.place(org_id, row_id)
        if sealed is None:
            made = (self.envelope.seal(Secret(plaintext), place), seal_layout_1(self.vault, KEY, plaintext, place))
            sealed = made[0] if layout == 2 else made[1]
            self.plain[org_id, row_id] = plaintext
        with self.db.unit(actor_in(org_id)) as tx:
            accounts.insert_account(
                tx, id=row_id, provider="aws", name="a", external_account=f"{len(self.stored()):012}",
                regions=["us-east-1"], auth_kind="static_key", role_arn=None, external_id=None, credentials_encrypted=sealed,
            )  # fmt: skip
        return row_id

    def fill(self) -> None:
        """Connect seven accounts in two of three organisations."""
        for number in range(7):
            self.connect(self.orgs[number % 2], layout=1 if number == 3 else 2)

    def stored(self) -> dict[tuple[UUID, UUID], bytes]:
        rows = self.database.owner.run("select org_id, id, credentials_encrypted from scan.cloud_accounts")
        return {(row[0], row[1]): bytes(row[2]) for row in rows}

    def versions(self) -> list[int]:
        return sorted(
            row[0] for row in self.database.owner.run("select credentials_key_version from scan.cloud_accounts")
        )

    def all_open(self) -> bool:
        """Whether every row's credentials can be read, and are what was stored."""
        found = self.stored()
        return self.plain == {
            key: self.envelope.open(found[key], CREDENTIALS.place(*key)).reveal() for key in self.plain
        }

    def rotate(self) -> None:
        self.vault.add_wrapping_key(KEY)

    def worker(self, clock: Any = None, **changes: Any) -> Resealer:
        return Resealer(self.db, self.envelope, [replace(CREDENTIALS, **changes)], clock or SystemClock())

    def tend(self, seconds: float = 60.0, **changes: Any) -> Progress:
        return self.worker(**changes).tend(EVENT, seconds=seconds)

    def runs(self) -> list[dict[str, Any]]:
        names = (
            "id",
            "kind",
            "status",
            "target_version",
            "seen",
            "changed",
            "overtaken",
            "unreadable",
            "unreadable_rows",
        )
        rows = self.database.owner.run(f"select {', '.join(names)} from core.reseal_runs order by id")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def request(self, kind: str) -> None:
        self.database.owner.run(
            "insert into core.reseal_runs (sealed_column, kind, requested_by) values (:name, :kind, 'ops@example.test')",
            name=CREDENTIALS.name, kind=kind,
        )  # fmt: skip


@pytest.fixture
def safe(database: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> Safe:
    monkeypatch.setattr(resealing, "_BATCH_ROWS", 2)
    found = Safe(database)
    found.fill()
    return found


def counts(run: dict[str, Any]) -> tuple[int, int, int, int]:
    return run["seen"], run["changed"], run["overtaken"], run["unreadable"]


def test_the_column_shows_the_version_that_the_ciphertext_names(safe: Safe) -> None:
    for sealed in (b"", b"\x02", b"\x02\x00\x00\x00\x01\x00", b"\x01" * 40, b"\x03" * 40, b"\x02" + b"\xff" * 40):
        safe.connect(safe.orgs[2], sealed=sealed)
    for org_id, row_id, sealed, shown in safe.database.owner.run(
        "select org_id, id, credentials_encrypted, credentials_key_version from scan.cloud_accounts"
    ):
        if (org_id, row_id) in safe.plain:
            assert shown == key_version(bytes(sealed))
    assert safe.versions() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2**32 - 1]


def test_nothing_is_done_while_the_key_is_not_rotated(safe: Safe) -> None:
    safe.tend()  # layout 1 names no version
    before, wrapped = safe.stored(), safe.vault.wrapped
    assert safe.tend() == Progress()
    assert (safe.stored(), safe.vault.wrapped) == (before, wrapped)


def test_after_a_rotation_every_row_is_wrapped_anew_and_the_old_version_is_needed_no_more(safe: Safe) -> None:
    safe.rotate()
    progress = safe.tend()
    assert (progress.opened, progress.finished, progress.open_runs) == (1, 1, [])
    assert safe.versions() == [2] * 7
    (run,) = safe.runs()
    assert (run["kind"], run["status"], run["target_version"]) == ("rewrap", "done", 2)
    assert counts(run) == (7, 7, 0, 0)
    safe.vault.disable_version(KEY, "1")
    assert safe.all_open()
    assert safe.tend() == Progress()


def test_a_rewrap_leaves_the_bodies_and_a_re_encryption_leaves_nothing(safe: Safe) -> None:
    safe.tend()
    before = safe.stored()
    safe.rotate()
    safe.tend()
    wrapped = safe.stored()
    assert {key: value[-40:] for key, value in wrapped.items()} == {key: value[-40:] for key, value in before.items()}
    safe.request("reencrypt")
    progress = safe.tend()
    assert (progress.opened, progress.finished, progress.changed) == (0, 1, 7)
    assert not {value[-40:] for value in safe.stored().values()} & {value[-40:] for value in wrapped.values()}
    assert safe.versions() == [2] * 7
    assert safe.all_open()


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("moment", ["in the vault", "before the commit"])
def test_a_killed_job_goes_on_where_it_stopped(safe: Safe, moment: str) -> None:
    safe.rotate()

    def die() -> None:
        if safe.vault.wrapped == began + 5:
            raise Killed

    class Deadly(SealedQueries):
        def swap(self, tx: Any, swaps: Sequence[Any]) -> Collection[UUID]:
            done = accounts.SEALED_CREDENTIALS.swap(tx, swaps)
            if safe.vault.wrapped >= began + 5:
                raise Killed
            return done

    sql = asdict(accounts.SEALED_CREDENTIALS)
    began = safe.vault.wrapped
    if moment == "in the vault":
        safe.vault.before_wrap = die
    with pytest.raises(Killed):
        safe.tend(**({"queries": Deadly(**sql)} if moment == "before the commit" else {}))
    safe.vault.before_wrap = lambda: None
    (stopped,) = safe.runs()
    assert (stopped["status"], counts(stopped)) == ("open", (4, 4, 0, 0)), "it is not known how far the job came"
    assert safe.versions().count(2) == 4, "half a batch was stored, or a whole one lost"
    wrapped = safe.vault.wrapped
    progress = safe.tend()
    assert safe.vault.wrapped == wrapped + 3, "it began anew"
    assert (progress.opened, progress.finished) == (0, 1)
    assert [counts(run) for run in safe.runs()] == [(7, 7, 0, 0)]
    assert safe.versions() == [2] * 7
    assert safe.all_open()


def test_a_job_whose_time_is_up_stops_between_two_batches(safe: Safe) -> None:
    safe.rotate()
    clock = FakeClock()
    safe.vault.before_wrap = lambda: clock.advance(1)
    progress = safe.tend(seconds=3, clock=clock)
    (run,) = safe.runs()
    assert (progress.seen, progress.finished, progress.open_runs) == (4, 0, [str(run["id"])])
    assert safe.tend().finished == 1


def test_an_outage_of_the_vault_keeps_what_was_done_and_is_told(safe: Safe) -> None:
    safe.rotate()
    began = safe.vault.wrapped

    def fail() -> None:
        if safe.vault.wrapped > began + 4:
            raise ServiceAway("kms")

    safe.vault.before_wrap = fail
    with pytest.raises(ServiceAway):
        safe.tend()
    assert safe.versions().count(2) == 4
    assert counts(safe.runs()[0]) == (4, 4, 0, 0), "an outage was counted as unreadable rows"
    safe.vault.before_wrap = lambda: None
    assert safe.tend().finished == 1


def test_what_somebody_writes_meanwhile_stands(safe: Safe) -> None:
    safe.rotate()
    keys = sorted(safe.plain)
    mine, gone = keys[0], keys[1]
    sealed = safe.envelope.seal(Secret(b"new\nsecret"), CREDENTIALS.place(*mine))

    def change() -> None:
        safe.database.owner.run(
            "update scan.cloud_accounts set credentials_encrypted = :sealed where id = :id", sealed=sealed, id=mine[1]
        )
        safe.database.owner.run("delete from scan.cloud_accounts where id = :id", id=gone[1])

    safe.vault.before_wrap = change
    safe.tend()
    assert safe.stored()[mine] == sealed, "the new credentials were overwritten with the old ones"
    assert gone not in safe.stored(), "a deleted row came back"
    (run,) = safe.runs()
    assert counts(run) == (7, 5, 2, 0)
    safe.plain[mine] = b"new\nsecret"
    del safe.plain[gone]
    assert safe.all_open()


def test_what_cannot_be_read_is_counted_named_and_left_alone(
    safe: Safe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh_loggers(monkeypatch)
    org_id = safe.orgs[1]
    moved = safe.stored()[next(key for key in sorted(safe.plain) if key[0] == org_id)]
    broken = {safe.connect(org_id, sealed=sealed) for sealed in (moved, b"\x01" * 60, b"\x03" * 60, b"")}
    before = safe.stored()
    safe.rotate()
    safe.tend()
    (run,) = safe.runs()
    assert (run["status"], counts(run)) == ("done", (11, 7, 0, 4))
    told = {UUID(item["row_id"]): (UUID(item["org_id"]), item["reason"]) for item in run["unreadable_rows"]}
    assert told == dict.fromkeys(broken, (org_id, "refused"))
    assert {row_id: safe.stored()[org_id, row_id] for row_id in broken} == {
        row_id: before[org_id, row_id] for row_id in broken
    }
    assert safe.all_open()
    logged = capsys.readouterr().out
    assert all(str(row_id) in logged for row_id in broken), "an unreadable row is not in the log"


def test_rows_under_a_version_that_was_disabled_too_early_are_named_and_saved_once_it_is_back(safe: Safe) -> None:
    safe.tend()
    safe.rotate()
    safe.vault.disable_version(KEY, "1")
    late = safe.connect(safe.orgs[2])
    safe.tend()
    run = safe.runs()[-1]
    assert counts(run) == (7, 0, 0, 7)
    assert {item["reason"] for item in run["unreadable_rows"]} == {"key_version_unusable"}
    assert str(late) not in str(run["unreadable_rows"])
    safe.vault.enable_version(KEY, "1")
    safe.request("rewrap")
    assert counts_of(safe.tend()) == (0, 7, 7, 0)
    assert safe.all_open()


def test_rows_that_cannot_be_read_do_not_make_it_go_round_and_round(safe: Safe) -> None:
    safe.connect(safe.orgs[0], sealed=b"\x01" + bytes(60))
    safe.rotate()
    assert counts_of(safe.tend()) == (1, 8, 7, 1)
    assert counts_of(safe.tend()) == (0, 0, 0, 0)
    safe.database.owner.run("update core.reseal_runs set finished_at = finished_at - interval '61 minutes'")
    assert counts_of(safe.tend()) == (1, 1, 0, 1), "after an hour it is worth another look"
    safe.rotate()
    assert counts_of(safe.tend()) == (1, 8, 7, 1), "a new version is due at once"


def counts_of(progress: Progress) -> tuple[int, int, int, int]:
    return progress.opened, progress.seen, progress.changed, progress.unreadable


def test_a_row_that_the_vault_wraps_under_the_old_version_again_is_left_to_the_next_run(safe: Safe) -> None:
    safe.tend()
    safe.rotate()
    safe.vault.lags = True
    before = safe.stored()
    assert counts_of(safe.tend()) == (1, 7, 0, 0)
    assert safe.stored() == before
    safe.vault.lags = False
    safe.database.owner.run("update core.reseal_runs set finished_at = finished_at - interval '61 minutes'")
    assert counts_of(safe.tend()) == (1, 7, 7, 0)
    assert safe.versions() == [2] * 7


def test_several_workers_share_a_run_and_do_each_row_once(safe: Safe) -> None:
    for _ in range(15):
        safe.connect(safe.orgs[2])
    safe.rotate()
    workers = [
        Resealer(safe.database.build_database("scan"), safe.envelope, [CREDENTIALS], SystemClock()) for _ in "1234"
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda worker: worker.tend(EVENT, seconds=60), workers))
    while safe.tend().open_runs:
        continue
    assert safe.versions() == [2] * 22
    (run,) = safe.runs()
    assert (run["status"], counts(run)) == ("done", (22, 22, 0, 0))
    assert safe.all_open()


def test_an_operators_run_is_checked_when_it_is_asked_for(safe: Safe) -> None:
    for column, kind in (("scan.cloud_accounts.credential_encrypted", "rewrap"), (CREDENTIALS.name, "decrypt")):
        with pytest.raises(native.DatabaseError):
            safe.database.owner.run(
                "insert into core.reseal_runs (sealed_column, kind) values (:column, :kind)", column=column, kind=kind
            )
    safe.request("reencrypt")
    with pytest.raises(native.DatabaseError):
        safe.request("reencrypt")


def test_a_run_never_shows_what_is_sealed(safe: Safe) -> None:
    safe.connect(safe.orgs[0], sealed=b"\x01" + b"a-cleartext-secret" * 5)
    safe.rotate()
    safe.tend()
    assert "cleartext" not in json.dumps(safe.runs(), default=str)
