"""Fields under one data key: each opens in its own place and no other, and refuses every change."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.clock import SystemEntropy
from shared.ports.errors import CiphertextRefused
from shared.ports.secret_store import Secret
from shared.security.content_keys import ContentKey, Spot
from shared.security.envelope import Place

ENTROPY = SystemEntropy()
KEY = ContentKey.make(ENTROPY)
PLACE = Place("scan.cluster_objects", "object_sealed", UUID(int=1), UUID(int=2))
SPOT = Spot(PLACE, ("account", "report", "ConfigMap", "shop/a"))
SEALED = KEY.seal(b"a value that nobody else reads", SPOT, part=7, entropy=ENTROPY)
ELSEWHERE = {
    "table": replace(SPOT, place=replace(PLACE, table="scan.cluster_reports")),
    "column": replace(SPOT, place=replace(PLACE, column="object")),
    "organisation": replace(SPOT, place=replace(PLACE, org_id=UUID(int=3))),
    "row of the key": replace(SPOT, place=replace(PLACE, row_id=UUID(int=3))),
    "account": replace(SPOT, names=("another", *SPOT.names[1:])),
    "report": replace(SPOT, names=("account", "another", *SPOT.names[2:])),
    "kind": replace(SPOT, names=(*SPOT.names[:2], "Secret", "shop/a")),
    "name": replace(SPOT, names=(*SPOT.names[:3], "shop/b")),
    "names run together": replace(SPOT, names=(*SPOT.names[:2], 'ConfigMap", "shop/a')),
    "a name less": replace(SPOT, names=SPOT.names[:3]),
}


@given(st.binary(max_size=2000), st.integers(0, 2**32 - 1), st.lists(st.text(max_size=20), max_size=4))
def test_what_was_sealed_is_opened(plaintext: bytes, part: int, names: list[str]) -> None:
    spot = Spot(PLACE, names)
    sealed = KEY.seal(plaintext, spot, part=part, entropy=ENTROPY)
    assert KEY.open(sealed, spot) == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed


@pytest.mark.parametrize("where", sorted(ELSEWHERE))
def test_a_field_that_was_moved_is_refused(where: str) -> None:
    with pytest.raises(CiphertextRefused):
        KEY.open(SEALED, ELSEWHERE[where])


def test_every_changed_bit_and_every_cut_is_refused() -> None:
    assert KEY.open(SEALED, SPOT)
    changed = [
        SEALED[:place] + bytes([SEALED[place] ^ 1 << bit]) + SEALED[place + 1 :]
        for place in range(len(SEALED))
        for bit in range(8)
    ]
    for sealed in (*changed, *(SEALED[:length] for length in range(len(SEALED))), SEALED + b"\0"):
        with pytest.raises(CiphertextRefused):
            KEY.open(sealed, SPOT)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(CiphertextRefused):
        ContentKey.make(ENTROPY).open(SEALED, SPOT)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(CiphertextRefused):
        ContentKey(Secret(bytes(size)))


def test_each_part_has_a_key_of_its_own_and_each_field_a_nonce() -> None:
    sealed = [KEY.seal(b"the same", SPOT, part=part, entropy=ENTROPY) for part in (1, 1, 2, 2)]
    assert len({item[5:17] for item in sealed}) == 4
    assert len({item[17:] for item in sealed}) == 4
    moved = sealed[0][:1] + (2).to_bytes(4) + sealed[0][5:]
    with pytest.raises(CiphertextRefused):
        KEY.open(moved, SPOT)


def test_a_key_never_shows() -> None:
    assert KEY.secret.reveal().hex() not in f"{KEY!r}{KEY.secret!r}{vars(KEY)!r}"
