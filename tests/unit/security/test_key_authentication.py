"""API keys at the door: the short memory, networks, noting uses, and a new pepper."""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

import pytest
import structlog

from shared.data.errors import DatabaseAway
from shared.data.rows import Row
from shared.ports.errors import ServiceAway
from shared.security import key_authentication, key_uses
from shared.security.actor import Role
from shared.security.api_keys import ApiKey, hash_key, make_key
from shared.security.errors import NotFound, Unauthenticated
from shared.security.key_authentication import KeyAuthenticator
from shared.security.key_cache import FRESH_SECONDS, MOST_KEYS, KeyCache, KnownKey
from shared.security.peppers import Peppers
from shared.testing.clock import START, FakeClock, FixedEntropy
from shared.testing.secret_store import MemorySecretStore

ORG, OTHER_ORG = UUID(int=0xA), UUID(int=0xB)
INSIDE, OUTSIDE = ip_address("203.0.113.7"), ip_address("198.51.100.7")


@dataclass
class Table:
    """One key's row, as the lookup and the note find it."""

    row: Row
    clock: FakeClock
    lookups: int = 0
    notes: list[dict[str, Any]] = field(default_factory=list)
    is_away_for_notes: bool = False
    before_answer: Any = None

    def lookup(self, sql: str, **values: Any) -> list[Row]:
        if "find_api_key" in sql:
            self.lookups += 1
            found = [dict(self.row)] if values["public_id"] == self.row["public_id"] else []
            if self.before_answer:
                self.before_answer()
            return found
        if self.is_away_for_notes:
            raise DatabaseAway
        self.notes.append(values)
        if values["known_hash"] == self.row["secret_hash"]:
            self.row |= {
                "last_used_at": self.clock.now(), "secret_hash": values["new_hash"], "pepper_version": values["new_pepper_version"],
            }  # fmt: skip
        return [{"is_noted": True}]


@dataclass
class Door:
    """One process."""

    table: Table
    secrets: MemorySecretStore
    clock: FakeClock
    key: ApiKey

    def __post_init__(self) -> None:
        self.peppers = Peppers(self.secrets, self.clock)
        self.keys = KeyAuthenticator(self.table, self.peppers, self.clock)

    def knock(self, address: Any = INSIDE, org_id: UUID | None = ORG) -> Any:
        return self.keys.authenticate(self.key.reveal(), org_id, address)

    def is_shut(self, **options: Any) -> bool:
        try:
            self.knock(**options)
        except Unauthenticated:
            return True
        return False


@pytest.fixture
def door() -> Door:
    clock, secrets, key = FakeClock(), MemorySecretStore(), make_key(FixedEntropy())
    secrets.add_version("api-key-pepper", b"first pepper".ljust(32))
    row = {
        "org_id": ORG, "key_id": UUID(int=1), "public_id": key.public_id, "pepper_version": 1, "scopes": ["read", "write"], "cidrs": [],
        "expires_at": None, "revoked_at": None, "last_used_at": clock.now(), "maker_id": UUID(int=2), "maker_role": "owner", "plan": "team",
        "secret_hash": hash_key(key, secrets.read("api-key-pepper", "1")),
    }  # fmt: skip
    return Door(Table(row, clock), secrets, clock, key)


# --- the short memory -------------------------------------------------------------------------------------------------


def test_a_busy_key_costs_one_lookup_in_three_seconds(door: Door) -> None:
    for _ in range(50):
        assert door.knock().role == Role.MEMBER
    assert door.table.lookups == 1
    door.clock.advance(FRESH_SECONDS)
    door.knock()
    assert door.table.lookups == 2


@pytest.mark.parametrize(
    "change", [{"revoked_at": "now"}, {"maker_role": None}], ids=["revoked elsewhere", "maker removed or disabled"]
)
def test_a_key_that_ends_elsewhere_is_refused_within_three_seconds(door: Door, change: dict[str, Any]) -> None:
    door.knock()
    door.table.row |= change
    door.clock.advance(FRESH_SECONDS - 0.01)
    door.knock()
    door.clock.advance(0.01)
    assert door.is_shut(), "what is remembered was believed for more than three seconds"


def test_a_demoted_makers_key_loses_what_its_maker_lost(door: Door) -> None:
    assert door.knock().role == Role.MEMBER
    door.table.row["maker_role"] = "viewer"
    door.clock.advance(FRESH_SECONDS)
    assert door.knock().role == Role.VIEWER


def test_use_does_not_lengthen_the_memory(door: Door) -> None:
    for _ in range(7):
        door.knock()
        door.clock.advance(FRESH_SECONDS / 3)
    assert door.table.lookups == 3


def test_a_slow_lookup_is_remembered_from_its_beginning(door: Door) -> None:
    door.table.before_answer = lambda: door.clock.advance(FRESH_SECONDS)
    door.knock()
    door.table.row["revoked_at"] = "now"
    assert door.is_shut(), "an answer that was old when it came was remembered"


def test_a_revocation_in_the_same_process_holds_at_once(door: Door) -> None:
    door.knock()
    door.table.row["revoked_at"] = "now"
    door.keys.forget(UUID(int=1))
    assert door.is_shut()


def test_a_lookup_that_read_the_key_alive_does_not_bring_it_back(door: Door) -> None:
    """Read, revoked and forgotten, then remembered: in that order the key would live on for three seconds."""

    def revoke() -> None:
        door.table.row["revoked_at"] = "now"
        door.keys.forget(UUID(int=1))

    door.table.before_answer = revoke
    door.knock()
    door.table.before_answer = None
    assert door.is_shut()


def test_an_expiry_is_not_put_off_by_the_memory(door: Door) -> None:
    door.table.row["expires_at"] = door.clock.now() + timedelta(seconds=1)
    door.knock()
    door.clock.advance(1)
    assert door.is_shut()


def test_what_is_remembered_of_one_key_is_no_answer_for_another(door: Door) -> None:
    door.knock()
    forged = ApiKey(door.key.public_id, make_key(FixedEntropy("other")).secret)
    with pytest.raises(Unauthenticated):
        door.keys.authenticate(forged.reveal(), ORG, INSIDE)


def test_a_wrong_key_is_never_remembered(door: Door) -> None:
    unknown = make_key(FixedEntropy("unknown")).reveal()
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            door.keys.authenticate(unknown, ORG, INSIDE)
    assert door.table.lookups == 3


def test_a_remembered_key_is_still_of_one_organisation(door: Door) -> None:
    door.knock()
    with pytest.raises(NotFound):
        door.knock(org_id=OTHER_ORG)


def test_the_memory_is_bounded_and_drops_the_oldest() -> None:
    cache = KeyCache(FakeClock())
    known = KnownKey(UUID(int=1), ORG, Role.VIEWER, frozenset(), "free", (), None)
    for number in range(MOST_KEYS + 10):
        cache.keep(f"key {number}", known, cache.begin())
    assert len(cache._found) == MOST_KEYS
    assert cache.find("key 9") is None
    assert cache.find(f"key {MOST_KEYS + 9}") == known


def test_the_memory_holds_neither_the_key_nor_a_digest_that_others_could_compute(door: Door) -> None:
    door.knock()
    secret, cache = door.key.secret.reveal().decode(), door.keys._cache
    seen: set[int] = set()
    waiting: list[Any] = [vars(cache)]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, type):
            continue
        seen.add(id(item))
        if isinstance(item, str | bytes):
            text = item if isinstance(item, str) else item.decode("latin-1")
            assert secret not in text, "the memory holds the key"
            assert item != door.table.row["secret_hash"], "the memory holds the stored hash"
        elif isinstance(item, dict | list | tuple | KnownKey | frozenset):
            waiting += gc.get_referents(item)
    assert cache._digest(door.key.reveal()) != KeyCache(door.clock)._digest(door.key.reveal())


def test_many_threads_share_the_memory(door: Door) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for number in range(200):
                door.knock()
                if number % 10 == 0:
                    door.keys.forget(UUID(int=1))
        except Exception as error:  # noqa: BLE001  # whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []


# --- networks ---------------------------------------------------------------------------------------------------------


def test_a_key_works_from_inside_its_networks_only(door: Door) -> None:
    door.table.row["cidrs"] = ["203.0.113.0/24", "2001:db8::/32"]
    for address in (INSIDE, ip_address("2001:db8::1")):
        assert door.knock(address).kind == "key"
    for address in (OUTSIDE, ip_address("2001:db9::1"), ip_address("::1"), None):
        assert door.is_shut(address=address), f"let in from {address}"


def test_outside_is_told_before_the_organisation(door: Door) -> None:
    door.table.row["cidrs"] = ["203.0.113.0/24"]
    assert door.is_shut(address=OUTSIDE, org_id=OTHER_ORG), "a stranger learns that the key is good elsewhere"


def test_a_key_without_networks_works_from_everywhere(door: Door) -> None:
    assert door.knock(None).kind == "key"


def test_ipv4_and_ipv6_networks_do_not_mix() -> None:
    known = KnownKey(UUID(int=1), ORG, Role.VIEWER, frozenset(), "free", (ip_network("0.0.0.0/0"),), None)
    assert known.admits(INSIDE)
    assert not known.admits(ip_address("2001:db8::1"))


# --- noting uses ------------------------------------------------------------------------------------------------------


def test_a_use_is_noted_once_in_ten_minutes(door: Door) -> None:
    door.table.row["last_used_at"] = None
    for _ in range(599):
        door.knock()
        door.clock.advance(1)
    assert len(door.table.notes) == 1
    door.clock.advance(FRESH_SECONDS)
    door.knock()
    assert len(door.table.notes) == 2


def test_a_use_that_another_process_noted_is_not_noted_again(door: Door) -> None:
    for _ in range(100):
        door.knock()
        door.clock.advance(5)
    assert door.table.notes == [], "the row says that it was used a moment ago"


def test_a_use_that_cannot_be_noted_is_no_reason_to_refuse_and_is_noted_later(door: Door) -> None:
    door.table.row["last_used_at"], door.table.is_away_for_notes = None, True
    assert door.knock().kind == "key"
    door.table.is_away_for_notes = False
    door.clock.advance(30)
    door.knock()
    assert door.table.notes == [], "a database in trouble is asked at once again"
    door.clock.advance(31)
    door.knock()
    assert len(door.table.notes) == 1


def test_a_refused_key_is_not_noted_as_used(door: Door) -> None:
    door.table.row |= {"last_used_at": None, "cidrs": ["203.0.113.0/24"]}
    assert door.is_shut(address=OUTSIDE)
    with pytest.raises(NotFound):
        door.knock(org_id=OTHER_ORG)
    assert door.table.notes == []


# --- a new pepper -----------------------------------------------------------------------------------------------------


def test_a_key_is_hashed_under_the_new_pepper_with_its_next_use(door: Door) -> None:
    door.knock()
    door.secrets.add_version("api-key-pepper", b"second pepper".ljust(32))
    door.clock.advance(61)
    door.knock()
    assert door.table.row["pepper_version"] == 2
    assert door.table.row["secret_hash"] == hash_key(door.key, door.secrets.read("api-key-pepper", "2"))
    door.secrets.disable_version("api-key-pepper", 1)
    door.clock.advance(61)
    assert Door(door.table, door.secrets, door.clock, door.key).knock().kind == "key", "the old pepper is still needed"
    assert len(door.table.notes) == 1


@pytest.mark.parametrize(
    "end",
    [{"revoked_at": "now"}, {"maker_role": None}, {"expires_at": START}],
    ids=["revoked", "maker removed", "expired"],
)
def test_a_dead_key_is_refused_also_when_its_pepper_is_gone(door: Door, end: dict[str, Any]) -> None:
    door.table.row |= end
    door.secrets.disable_version("api-key-pepper", 1)
    assert door.is_shut()


def test_a_live_key_whose_pepper_was_disabled_too_early_is_a_503_and_no_refusal(door: Door) -> None:
    door.secrets.disable_version("api-key-pepper", 1)
    with pytest.raises(ServiceAway):
        door.knock()
    door.secrets.enable_version("api-key-pepper", 1)
    door.clock.advance(60)
    assert door.knock().kind == "key"


def test_a_new_pepper_does_not_wait_for_the_ten_minutes(door: Door) -> None:
    door.table.row["last_used_at"] = None
    door.knock()
    door.secrets.add_version("api-key-pepper", b"second pepper".ljust(32))
    door.clock.advance(61)
    door.knock()
    assert [note["new_pepper_version"] for note in door.table.notes] == [1, 2]


def test_a_process_that_does_not_know_the_newest_pepper_yet_changes_nothing_back(door: Door) -> None:
    slow = Door(door.table, door.secrets, door.clock, door.key)
    slow.knock()
    door.secrets.add_version("api-key-pepper", b"second pepper".ljust(32))
    door.knock()
    assert door.table.row["pepper_version"] == 2
    door.clock.advance(FRESH_SECONDS)
    slow.knock()
    assert door.table.row["pepper_version"] == 2


def test_an_outage_of_the_secret_store_refuses_no_key_whose_pepper_is_known(door: Door) -> None:
    door.knock()
    door.secrets.is_away = True
    door.clock.advance(3600)
    assert door.knock().kind == "key"
    assert door.peppers.newest()[0] == 1


def test_the_newest_pepper_is_asked_for_once_a_minute() -> None:
    asked: list[str] = []

    class Counting(MemorySecretStore):
        def latest_version(self, name: str) -> int:
            asked.append(name)
            return super().latest_version(name)

    secrets, clock = Counting(), FakeClock()
    peppers = Peppers(secrets, clock)
    with pytest.raises(ServiceAway):
        peppers.newest()
    secrets.add_version("api-key-pepper", bytes(32))
    clock.advance(1)
    for _ in range(120):
        assert peppers.newest()[0] == 1
        clock.advance(1)
    assert len(asked) == 1 + 2


def test_nothing_that_is_logged_shows_the_key(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    written = structlog.testing.LogCapture()
    for module in (key_authentication, key_uses):
        processors = [structlog.processors.format_exc_info, written]
        monkeypatch.setattr(module, "_log", structlog.wrap_logger(None, processors=processors))
    door.table.row |= {"last_used_at": None, "cidrs": ["203.0.113.0/24"]}
    door.table.is_away_for_notes = True
    door.knock()
    assert door.is_shut(address=OUTSIDE)
    assert [entry["event"] for entry in written.entries] == [
        "use of a key not noted",
        "key refused outside its networks",
    ]
    assert {entry["key_id"] for entry in written.entries} == {str(UUID(int=1))}
    assert door.key.secret.reveal().decode() not in str(written.entries)
