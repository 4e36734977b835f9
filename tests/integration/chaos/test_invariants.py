"""Every invariant of the fault campaign can fail, and none does where all is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from local_emulator.records import DataDirectory
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.object_store import MemoryObjectStore
from tests.chaos.calls import Calls
from tests.chaos.invariants import INVARIANTS, Outcome, World, check_invariants, examine, wait_until_settled
from tests.chaos.invariants.logs import forms, no_log_holds_a_secret
from tests.support.database import DatabaseServer
from tests.support.tenants import tenant_tables

from .broken import BREAKS, SECRET, Scene, whole_world


@pytest.fixture(scope="module")
def whole(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with whole_world(database_server, tmp_path_factory.mktemp("whole")) as scene:
        yield scene


@pytest.fixture(scope="module")
def outcomes(whole: Scene) -> Mapping[str, Outcome]:
    return {outcome.name: outcome for outcome in examine(whole.world)}


@pytest.fixture(scope="module")
def broken(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with whole_world(database_server, tmp_path_factory.mktemp("broken")) as scene:
        for one in BREAKS:
            one.do(scene)
        yield scene


@pytest.fixture(scope="module")
def violations(broken: Scene) -> list[tuple[str, str]]:
    return [(violation.check, violation.text) for violation in check_invariants(broken.world)]


def test_where_all_is_well_nothing_is_found(outcomes: Mapping[str, Outcome]) -> None:
    assert [violation for outcome in outcomes.values() for violation in outcome.violations] == []


def test_it_was_well_with_rows_of_two_organisations_in_every_table(
    whole: Scene, outcomes: Mapping[str, Outcome]
) -> None:
    tables = tenant_tables(whole.database)
    assert outcomes["foreign words"].counts["tables"] == len(tables)
    assert outcomes["foreign words"].counts["words"] == 2
    assert outcomes["foreign ids"].counts["ids"] > 2 * len(tables) / 2
    assert outcomes["audit chains"].counts == {"chains": 3, "entries": 4, "anchors": 2}
    assert outcomes["sealed values"].counts == {"columns": 13, "values": 26}


def test_the_report_says_what_was_looked_at(outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes["audit chains"].line() == "audit chains: 3 chains, 4 entries, 2 anchors"
    assert outcomes["exceptions"].line() == "exceptions: 1 DatabaseAway"
    assert outcomes["given up"].line() == "given up: 1 messages given up, 1 of scan-shards"
    assert outcomes["waiting"].line() == "waiting: 6 calls, 119 seconds at most"


def test_every_invariant_is_broken_in_some_way() -> None:
    assert {one.invariant for one in BREAKS} == set(INVARIANTS)


@pytest.mark.parametrize("place", range(len(BREAKS)), ids=[f"{one.invariant}: {one.says}" for one in BREAKS])
def test_what_is_broken_is_found(broken: Scene, violations: list[tuple[str, str]], place: int) -> None:
    one = BREAKS[place]
    says = one.says.format(mine=broken.mine, other=broken.other, word=broken.words[1])
    found = [text for check, text in violations if check == one.invariant]
    assert any(says in text for text in found), found


def test_nothing_else_is_found(broken: Scene, violations: list[tuple[str, str]]) -> None:
    names = {"mine": broken.mine, "other": broken.other, "word": broken.words[1]}
    expected = [(one.invariant, one.says.format(**names)) for one in BREAKS]
    surplus = [
        (check, text) for check, text in violations if not any(check == its and says in text for its, says in expected)
    ]
    assert not surplus, surplus


def test_no_violation_holds_a_secret(violations: list[tuple[str, str]]) -> None:
    assert not [text for _, text in violations if SECRET in text]


@pytest.mark.parametrize("form", forms(SECRET.encode()))
def test_a_secret_is_found_wherever_it_stands(tmp_path: Path, form: str) -> None:
    calls, data = Calls(), DataDirectory(tmp_path)
    calls.keep_secret(SECRET, "another secret that stands nowhere")
    data.create(open_to_others=False)
    world = World("", calls, MemoryObjectStore(), MemoryKeyManager(), data)
    for before in range(10):
        data.log_file("auth").write_bytes(b"x" * before + forms(SECRET.encode())[form])
        assert list(no_log_holds_a_secret(world, Counter())), f"after {before} bytes"


def test_what_is_open_is_told_when_the_time_is_up(broken: Scene) -> None:
    found = {one.kind: one.count for one in wait_until_settled(broken.world, 0)}
    assert found["scans"] == found["messages in outboxes"] == found["messages of scan-dead-letters"] == 1


def test_what_cannot_be_checked_does_not_hold(whole: Scene) -> None:
    whole.anchors.is_away = True
    try:
        found = {outcome.name: outcome.violations for outcome in examine(whole.world)}
    finally:
        whole.anchors.is_away = False
    told = "could not be checked: ServiceAway: nothing was changed; try again shortly"
    assert {name: [one.text for one in those] for name, those in found.items() if those} == {
        "audit chains": [told],
        "database": [told],
    }
