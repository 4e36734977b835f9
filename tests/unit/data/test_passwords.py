"""Which password is tried when: while an operator changes it, in whatever order a process gets to see the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement, count

import pytest

from shared.data.errors import DatabaseAway
from shared.data.passwords import FixedPassword, Password, RotatingPassword, readable_versions
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import Secret
from shared.testing.clock import FakeClock
from shared.testing.secret_store import MemorySecretStore

NAME = "database-password"


class Role:
    """A database role that has one password, and counts who knocks."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.refused = 0

    def opens(self, password: Password) -> bool:
        is_right = password.reveal() == self.password
        self.refused += not is_right
        return is_right


class Stale(MemorySecretStore):
    """A store whose `latest` is as old as a test wants; a version is read by its number at once."""

    told = 1

    def latest_version(self, name: str) -> int:
        super().latest_version(name)
        return self.told


def store(*values: str) -> MemorySecretStore:
    found = MemorySecretStore()
    for value in values:
        found.add_version(NAME, value.encode())
    return found


def log_in(passwords: RotatingPassword, role: Role, between: Callable[[], None] = lambda: None) -> bool:
    for candidate in passwords.candidates():
        if role.opens(candidate):
            passwords.accept(candidate)
            return True
        between()
    return False


def versions(found: Iterator[Password]) -> list[int]:
    return [item.version for item in found]


def test_the_newest_version_is_tried_first_then_the_one_before() -> None:
    secrets = store("one", "two", "three")
    tried = versions(RotatingPassword(secrets, NAME, FakeClock()).candidates())
    assert tried[:2] == [3, 2]
    assert 1 not in tried


def test_a_disabled_version_is_passed_over() -> None:
    secrets = store("one", "two", "three")
    secrets.disable_version(NAME, 3)
    secrets.disable_version(NAME, 2)
    role = Role("one")
    assert log_in(RotatingPassword(secrets, NAME, FakeClock()), role)
    assert role.refused == 0


def test_what_worked_is_used_again_without_a_look_at_the_secret() -> None:
    secrets, role = store("one"), Role("one")
    passwords = RotatingPassword(secrets, NAME, FakeClock())
    assert log_in(passwords, role)
    secrets.is_away = True
    assert log_in(passwords, role)


@pytest.mark.parametrize("is_new", [True, False], ids=["new process", "running process"])
def test_every_moment_of_a_rotation_lets_a_process_in(is_new: bool) -> None:
    secrets, role = store("one"), Role("one")
    running = RotatingPassword(secrets, NAME, FakeClock())
    assert log_in(running, role)
    steps: list[Callable[[], object]] = [
        lambda: secrets.add_version(NAME, b"two"),
        lambda: setattr(role, "password", "two"),
        lambda: secrets.disable_version(NAME, 1),
    ]
    for step in steps:
        step()
        assert log_in(RotatingPassword(secrets, NAME, FakeClock()) if is_new else running, role)


def test_a_role_that_changes_between_two_tries_is_found_at_the_next_look() -> None:
    secrets, role = store("one", "two"), Role("one")
    changed: list[str] = []

    def change() -> None:  # after `two` was refused and before `one` is tried
        if not changed:
            changed.append("now")
            role.password = "two"

    assert log_in(RotatingPassword(secrets, NAME, FakeClock()), role, change)
    assert role.refused == 2


@pytest.mark.parametrize("is_new", [True, False], ids=["new process", "running process"])
def test_wherever_the_steps_fall_between_the_tries_of_one_login_it_gets_in(is_new: bool) -> None:
    for places in combinations_with_replacement(range(8), 3):  # before which try each of the three steps happens
        secrets, role = store("one"), Role("one")
        passwords = RotatingPassword(secrets, NAME, FakeClock())
        if not is_new:
            assert log_in(passwords, role)
        steps = [
            lambda secrets=secrets: secrets.add_version(NAME, b"two"),
            lambda role=role: setattr(role, "password", "two"),
            lambda secrets=secrets: secrets.disable_version(NAME, 1),
        ]
        waiting = list(zip(places, steps, strict=True))
        tries = count(1)

        def pass_on(waiting: list[tuple[int, Callable[[], object]]], number: int) -> None:
            while waiting and waiting[0][0] <= number:
                waiting.pop(0)[1]()

        pass_on(waiting, 0)
        assert log_in(passwords, role, lambda w=waiting, t=tries: pass_on(w, next(t))), places


def test_a_new_version_is_found_although_the_store_does_not_tell_of_it_yet() -> None:
    secrets = Stale()
    for value in ("one", "two", "three"):
        secrets.add_version(NAME, value.encode())
    assert log_in(RotatingPassword(secrets, NAME, FakeClock()), Role("three"))
    running, role = RotatingPassword(secrets, NAME, FakeClock()), Role("three")
    assert log_in(running, role)
    for number in (1, 2, 3):
        secrets.disable_version(NAME, number)
    secrets.add_version(NAME, b"four")
    role.password = "four"
    assert log_in(running, role), "a running process begins its search where it stands"


def test_wrong_everywhere_ends_after_a_few_tries_and_then_rests() -> None:
    clock, role = FakeClock(), Role("something else")
    passwords = RotatingPassword(store("one", "two", "three"), NAME, clock)
    assert not log_in(passwords, role)
    assert role.refused == 6
    assert clock.monotonic_seconds() <= 1
    with pytest.raises(DatabaseAway):
        log_in(passwords, role)
    assert role.refused == 6, "a login that is hopeless is tried over and over"
    clock.advance(1.1)
    role.password = "three"
    assert log_in(passwords, role)
    assert log_in(passwords, role), "it rests although it got in"


def test_a_store_that_is_away_is_told_apart_from_a_wrong_password() -> None:
    secrets = store("one")
    secrets.is_away = True
    with pytest.raises(ServiceAway):
        log_in(RotatingPassword(secrets, NAME, FakeClock()), Role("one"))
    with pytest.raises(ServiceAway):
        log_in(RotatingPassword(MemorySecretStore(), "no-such-secret", FakeClock()), Role("one"))


def test_versions_come_newest_first_and_only_those_that_can_be_read() -> None:
    secrets = store(*(f"p{number}" for number in range(1, 13)))
    for number in (12, 10, 3):
        secrets.disable_version(NAME, number)
    assert versions(readable_versions(secrets, NAME)) == [11, 9, 8, 7, 6, 5, 4, 2, 1]


def test_no_password_shows_itself() -> None:
    fixed = FixedPassword("hunter2")
    (only,) = fixed.candidates()
    assert "hunter2" not in repr(only)
    assert "hunter2" not in repr(Password(1, Secret(b"hunter2")))
    assert only.reveal() == "hunter2"
