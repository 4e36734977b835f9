"""The versions of a secret: which one is used for what is new, and what happens while versions come and go."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from shared.ports.errors import ServiceAway, VersionUnusable
from shared.ports.secret_store import Secret
from shared.security.secret_versions import SecretVersions
from shared.testing.clock import FakeClock
from shared.testing.secret_store import MemorySecretStore

NAME = "a-secret"


class Counting(MemorySecretStore):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def read(self, name: str, version: str = "latest") -> Secret:
        self.asked.append(version)
        return super().read(name, version)


@dataclass
class Process:
    """One process that uses a secret."""

    store: Counting = field(default_factory=Counting)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.versions = SecretVersions(NAME, self.store, self.clock)

    def add(self, value: bytes = bytes(32)) -> int:
        return self.store.add_version(NAME, value)

    def numbers(self) -> list[int]:
        return [number for number, _ in self.versions.usable()]


@pytest.fixture
def process() -> Process:
    found = Process()
    found.add(b"one".ljust(32))
    return found


def test_a_new_version_is_used_within_a_minute_and_the_old_one_stays(process: Process) -> None:
    assert process.versions.newest()[0] == 1
    process.add(b"two".ljust(32))
    process.clock.advance(60)
    number, secret = process.versions.newest()
    assert (number, secret.reveal()) == (2, b"two".ljust(32))
    assert process.versions.version(1).reveal() == b"one".ljust(32)
    assert process.numbers() == [2, 1]


def test_each_version_is_read_once(process: Process) -> None:
    process.add()
    for _ in range(50):
        process.clock.advance(61)
        process.versions.newest()
        process.versions.usable()
    assert sorted(process.store.asked) == ["1", "2"]


@pytest.mark.parametrize("value", [b"\n", b"x" * 15])
def test_a_version_that_is_too_short_to_be_a_key_is_never_used(process: Process, value: bytes) -> None:
    process.add(value)
    assert process.versions.newest()[0] == 1
    assert process.numbers() == [1]
    with pytest.raises(VersionUnusable):
        process.versions.version(2)


def test_every_process_passes_over_a_newest_version_that_was_disabled_again(process: Process) -> None:
    process.add()
    process.store.disable_version(NAME, 2)
    fresh = Process(process.store, process.clock)
    for item in (process, fresh):
        assert item.versions.newest()[0] == 1
        assert item.numbers() == [1]


def test_a_disabled_version_is_asked_for_once_a_minute_and_found_when_it_is_back(process: Process) -> None:
    process.add()
    process.store.disable_version(NAME, 1)
    for _ in range(100):
        assert process.numbers() == [2]
        with pytest.raises(VersionUnusable):
            process.versions.version(1)
    assert process.store.asked.count("1") == 1
    process.store.enable_version(NAME, 1)
    process.clock.advance(60)
    assert process.numbers() == [2, 1]


def test_a_version_in_use_outlives_its_disabling_until_the_process_ends(process: Process) -> None:
    assert process.versions.version(1)
    process.store.disable_version(NAME, 1)
    process.clock.advance(3600)
    assert process.versions.version(1).reveal() == b"one".ljust(32)


def test_an_older_number_of_the_newest_is_not_believed(process: Process) -> None:
    """The store is consistent only in the end: one of its replicas may know nothing of the new version yet."""
    process.add()
    assert process.versions.newest()[0] == 2
    del process.store._versions[NAME][1]
    process.clock.advance(60)
    assert process.versions.newest()[0] == 2


def test_an_outage_costs_what_is_known_nothing_and_the_rest_one_question_in_five_seconds(process: Process) -> None:
    assert process.versions.newest()[0] == 1
    process.add()
    process.clock.advance(60)

    def away(name: str, version: str = "latest") -> Secret:
        process.store.asked.append(version)
        raise ServiceAway("secret_manager")

    process.store.read = away  # type: ignore[method-assign]
    for _ in range(10):
        assert process.versions.newest()[0] == 1, "the known version does not do"
        with pytest.raises(ServiceAway) as caught:
            process.versions.usable()
        assert not isinstance(caught.value, VersionUnusable), "an outage is taken for a version that is gone"
    assert process.store.asked.count("2") == 1
    process.clock.advance(5)
    del process.store.read
    assert process.versions.newest()[0] == 2


def test_with_no_version_at_all_there_is_nothing_to_use() -> None:
    process = Process()
    for ask in (process.versions.newest, process.versions.usable):
        with pytest.raises(ServiceAway):
            ask()
    process.add()
    process.store.disable_version(NAME, 1)
    for ask in (process.versions.newest, process.versions.usable):
        with pytest.raises(VersionUnusable):
            ask()
