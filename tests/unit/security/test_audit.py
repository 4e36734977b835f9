"""The audit log's chain: nothing in it can be changed, removed, added or moved without being found."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.audit import (
    GENESIS,
    PLATFORM_CHAIN,
    Entry,
    Event,
    Head,
    Problem,
    Verdict,
    anchor_name,
    canonical_v1,
    chain_events,
    hash_entry,
    org_chain,
    read_anchor,
    verify,
)

CHAIN = org_chain(UUID(int=7))
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
EVENT = Event("keys:api_key:created", "human", "ann", "api_key", "k1", '{"name":"ci"}', "request-1")

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
events = st.builds(Event, texts, texts, texts, texts, texts, texts, texts)
times = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive


def chain_of(items: list[tuple[Event, datetime]]) -> list[Entry]:
    entries: list[Entry] = []
    head = GENESIS
    for event, at in items:
        entries += chain_events(CHAIN, head, [event], ids=[UUID(int=len(entries))], at=at)
        head = head_of(entries)
    return entries


def head_of(entries: list[Entry]) -> Head:
    return Head(entries[-1].seq, entries[-1].hash) if entries else GENESIS


chains = st.lists(st.tuples(events, times), min_size=1, max_size=6).map(chain_of)


def plain(size: int) -> list[Entry]:
    return chain_of([(replace(EVENT, target_id=f"k{number}"), AT) for number in range(size)])


def judge(entries: list[Entry], head: Head, **options: Any) -> Verdict:
    return verify(iter(entries), chain=CHAIN, head=head, **options)


def other_than(value: Any) -> Any:
    """Return another value of the same type, as near as can be."""
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, UUID):
        return UUID(int=value.int ^ 1)
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    return value + 1 if isinstance(value, int) else value + " "


def changes_of(entry: Entry) -> Iterator[tuple[str, Entry]]:
    for item in fields(Event):
        yield (
            item.name,
            replace(entry, event=replace(entry.event, **{item.name: other_than(getattr(entry.event, item.name))})),
        )
    for item in fields(Entry):
        if item.name != "event":
            yield item.name, replace(entry, **{item.name: other_than(getattr(entry, item.name))})


def rehashed(entry: Entry) -> Entry:
    return replace(entry, hash=hash_entry(entry))


@given(chains)
def test_a_chain_as_it_was_written_is_in_order(entries: list[Entry]) -> None:
    verdict = judge(entries, head_of(entries), expected_min_seq=len(entries), anchors=[head_of(entries)])
    assert verdict == Verdict(len(entries), head_of(entries), None)
    assert verdict.is_ok
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


@given(chains, st.data())
def test_a_changed_field_of_any_entry_is_found(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    for name, changed in changes_of(entries[place]):
        verdict = judge([*entries[:place], changed, *entries[place + 1 :]], head_of(entries))
        assert verdict.problem is not None, f"a change of {name} is not found"
        assert verdict.problem.seq == place + 1, f"a change of {name} is found at {verdict.problem}"
        assert verdict.entries == place


@given(chains, st.data())
def test_a_change_with_a_fitting_hash_breaks_the_link_behind_it(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    changed = rehashed(replace(entries[place], event=replace(entries[place].event, actor_id="mallory@")))
    verdict = judge([*entries[:place], changed, *entries[place + 1 :]], head_of(entries))
    is_last = place == len(entries) - 1
    assert verdict.problem == (
        Problem(place + 1, "head_mismatch") if is_last else Problem(place + 2, "unlinked")
    )  # fmt: skip


@given(chains, st.data())
def test_a_removed_entry_is_found(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    verdict = judge(entries[:place] + entries[place + 1 :], head_of(entries))
    is_last = place == len(entries) - 1
    assert verdict.problem == Problem(place + 1, "head_mismatch" if is_last else "gap")


@given(chains, st.data(), events)
def test_an_inserted_entry_is_found(entries: list[Entry], data: st.DataObject, event: Event) -> None:
    place = data.draw(st.integers(0, len(entries)))
    (forged,) = chain_events(CHAIN, head_of(entries[:place]), [event], ids=[UUID(int=99)], at=AT)
    verdict = judge([*entries[:place], forged, *entries[place:]], head_of(entries))
    is_last = place == len(entries)
    assert verdict.problem == Problem(place + 1, "head_mismatch" if is_last else "reordered")


@given(chains, st.data())
def test_swapped_entries_are_found(entries: list[Entry], data: st.DataObject) -> None:
    first, second = data.draw(st.tuples(st.integers(0, len(entries) - 1), st.integers(0, len(entries) - 1)))
    moved = list(entries)
    moved[first], moved[second] = moved[second], moved[first]
    renumbered = [replace(entry, seq=number) for number, entry in enumerate(moved, 1)]
    for tried in (moved, renumbered, [rehashed(entry) for entry in renumbered]):
        verdict = judge(tried, head_of(entries))
        assert verdict.is_ok == (first == second)
        assert first == second or verdict.entries <= min(first, second) + 1


@given(chains, st.data())
def test_a_chain_cut_short_is_found_by_its_head_the_watermark_or_an_anchor(
    entries: list[Entry], data: st.DataObject
) -> None:
    left = entries[: data.draw(st.integers(0, len(entries) - 1))]
    assert judge(left, head_of(entries)).problem == Problem(len(left) + 1, "head_mismatch")
    truncated = Problem(len(left) + 1, "truncated")
    assert judge(left, head_of(left)).is_ok, "a head that was moved along hides it; hence the watermark"
    assert judge(left, head_of(left), expected_min_seq=len(entries)).problem == truncated
    assert judge(left, head_of(left), anchors=[head_of(entries)]).problem == truncated


@given(chains, st.data())
def test_a_chain_written_anew_from_some_entry_on_is_found_by_an_anchor(
    entries: list[Entry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    items = [(entry.event, entry.at) for entry in entries]
    items[place] = (replace(items[place][0], actor_id="mallory@"), items[place][1])
    forged = chain_of(items)
    assert judge(forged, head_of(forged)).is_ok, "a chain that was rewritten whole is in order; hence the anchors"
    verdict = judge(forged, head_of(forged), anchors=[head_of(entries)])
    assert verdict.problem == Problem(len(entries), "anchor_mismatch")


@given(events, events)
def test_two_events_never_share_a_form(one: Event, other: Event) -> None:
    forms = [canonical_v1(replace(plain(1)[0], event=event)) for event in (one, other)]
    assert (forms[0] == forms[1]) == (one == other)


@pytest.mark.parametrize("field", [item.name for item in fields(Event)])
def test_content_cannot_pass_for_the_border_between_fields(field: str) -> None:
    entry = plain(1)[0]
    names = [item.name for item in fields(Event)]
    later = names[(names.index(field) + 1) % len(names)]
    moved = replace(entry.event, **{field: getattr(entry.event, field) + "x", later: "y"})
    back = replace(entry.event, **{field: getattr(entry.event, field), later: "xy"})
    assert canonical_v1(replace(entry, event=moved)) != canonical_v1(replace(entry, event=back))


def test_the_form_never_changes() -> None:
    """Whoever kept an export verifies it with this form for ever: a change is a new version."""
    (entry,) = chain_events("org/00000000-0000-0000-0000-000000000007", GENESIS, [EVENT], ids=[UUID(int=1)], at=AT)
    form = (
        "15:driftwise-audit,1:1,40:org/00000000-0000-0000-0000-000000000007,1:1,36:00000000-0000-0000-0000-000000000001,"
        '27:2026-01-02T03:04:05.678901Z,20:keys:api_key:created,5:human,3:ann,7:api_key,2:k1,13:{"name":"ci"},9:request-1,'
        "64:0000000000000000000000000000000000000000000000000000000000000000,"
    )
    assert canonical_v1(entry) == form.encode()
    assert entry.hash == hashlib.sha256(form.encode()).digest()
    assert entry.hash.hex() == "87e8e81863a8e5b95d28ee78616cf97a3798279e14a6ad0b2bc5dc8f411dd574"


def test_the_length_counts_bytes_not_characters() -> None:
    entry = plain(1)[0]
    assert "4:é€,".encode() not in canonical_v1(replace(entry, event=replace(EVENT, actor_id="é€")))
    assert "5:é€,".encode() in canonical_v1(replace(entry, event=replace(EVENT, actor_id="é€")))


def test_the_same_moment_in_another_time_zone_is_the_same_entry() -> None:
    entry = plain(1)[0]
    elsewhere = replace(entry, at=entry.at.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert canonical_v1(elsewhere) == canonical_v1(entry)


@given(chains)
def test_an_anchors_name_holds_the_anchor_and_sorts_by_number(entries: list[Entry]) -> None:
    heads = [Head(entry.seq * 7, entry.hash) for entry in entries]
    names = [anchor_name(CHAIN, head) for head in heads]
    assert [read_anchor(CHAIN, name) for name in sorted(names)] == heads


@pytest.mark.parametrize("name", ["", "org/x", anchor_name(PLATFORM_CHAIN, Head(1, bytes(32))), f"{CHAIN}/1-00"])
def test_what_is_no_anchors_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        read_anchor(CHAIN, name)


@given(chains, st.data())
def test_every_anchor_of_a_chain_counts(entries: list[Entry], data: st.DataObject) -> None:
    heads = [Head(entry.seq, entry.hash) for entry in entries]
    assert judge(entries, heads[-1], anchors=heads).is_ok
    place = data.draw(st.integers(0, len(entries) - 1))
    other = Head(heads[place].seq, bytes(32))
    mismatch = Problem(place + 1, "anchor_mismatch")
    for anchors in ([*heads[:place], other, *heads[place + 1 :]], [*heads[:place], other, *heads[place:]], [other]):
        assert judge(entries, heads[-1], anchors=anchors).problem == mismatch
    assert judge(entries, heads[-1], anchors=[*heads[: place + 1], other, *heads[place + 1 :]]).problem == mismatch


def test_an_entry_of_another_chain_is_found() -> None:
    entries = plain(2)
    for chain in (org_chain(UUID(int=8)), PLATFORM_CHAIN):
        assert verify(entries, chain=chain, head=head_of(entries)).problem == Problem(1, "foreign")


def test_a_form_that_is_not_known_is_told_and_not_trusted() -> None:
    entries = plain(3)
    entries[1] = replace(entries[1], version=99)
    assert judge(entries, head_of(entries)).problem == Problem(2, "unknown_version")


def test_an_empty_chain_is_in_order_unless_entries_were_seen_before() -> None:
    assert judge([], GENESIS) == Verdict(0, GENESIS, None)
    assert judge([], GENESIS, expected_min_seq=1).problem == Problem(1, "truncated")


def test_verifying_reads_no_further_than_the_first_problem() -> None:
    entries = plain(5)
    entries[1] = replace(entries[1], event=replace(EVENT, action="x:y:z"))
    read = iter(entries)
    assert verify(read, chain=CHAIN, head=head_of(entries)).problem == Problem(2, "altered")
    assert len(list(read)) == 3


def test_verifying_holds_one_entry_at_a_time() -> None:
    def endless(size: int) -> Iterator[Entry]:
        head = GENESIS
        for number in range(size):
            (entry,) = chain_events(CHAIN, head, [EVENT], ids=[UUID(int=number)], at=AT)
            head = Head(entry.seq, entry.hash)
            yield entry

    last = Head(0, b"")
    for entry in endless(5000):
        last = Head(entry.seq, entry.hash)
    tracemalloc.start()
    verdict = verify(endless(5000), chain=CHAIN, head=last)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert verdict == Verdict(5000, last, None)
    assert most < 100_000, f"{most} bytes at once"
