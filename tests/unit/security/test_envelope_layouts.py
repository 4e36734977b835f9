"""Two layouts of a sealed field: neither is passed off as the other, and no head stands before a body it was not made for.

Also by somebody for whom the vault wrapped the same data key for both, and who kept every state of the row.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.errors import CiphertextRefused
from shared.security.envelope import Envelope, Place, key_version
from tests.support.sealed_fields import HEAD_TAG_BYTES, KEY_BYTES, LAYOUTS, NONCE_BYTES, Parts, Sealer

TEXT = b"AKIDEXAMPLE"
PLACE = Place("scan.cloud_accounts", "credentials_encrypted", UUID(int=0xA), UUID(int=1))


@dataclass(frozen=True)
class Pair:
    """One text in one place under one KMS key, in both layouts.

    Attributes:
        first, second: of layout 1 and of layout 2.
        envelope: opens both.
    """

    first: Parts
    second: Parts
    envelope: Envelope

    def refused(self, sealed: bytes) -> None:
        for way in (self.envelope.open, self.envelope.rewrap, self.envelope.reencrypt):
            with pytest.raises(CiphertextRefused):
                way(sealed, PLACE)


def pair(*, with_one_key: bool) -> Pair:
    """Seal in both layouts, on request with the same data key and the same nonce."""
    first = Sealer(1)
    second = Sealer(2, vault=first.vault, entropy=first.entropy)  # adds a version of the key
    one = first.seal(TEXT, PLACE)
    if with_one_key:
        first.entropy.planned = {KEY_BYTES: [first.vault.plain[-1]], NONCE_BYTES: [one.nonce]}
    other = second.seal(TEXT, PLACE)
    assert (one.nonce == other.nonce) is with_one_key
    assert (first.vault.plain[-1] == first.vault.plain[-2]) is with_one_key
    return Pair(one, other, first.envelope)


PAIRS = {"their own keys": pair(with_one_key=False), "one data key and one nonce": pair(with_one_key=True)}
each_pair = pytest.mark.parametrize("name", PAIRS)


def heads(wrapped: bytes) -> Iterator[bytes]:
    """Yield a head of each layout that is right about the wrapped key's length."""
    yield struct.pack(">BH", 1, len(wrapped))
    for version in (0, 1, 2, 3, 2**32 - 1):
        yield struct.pack(">BIH", 2, version, len(wrapped))


@each_pair
def test_both_open_as_they_are_and_the_second_alone_names_its_version(name: str) -> None:
    found = PAIRS[name]
    for parts, version in ((found.first, 0), (found.second, 2)):
        assert found.envelope.open(parts.joined(), PLACE).reveal() == TEXT
        assert key_version(parts.joined()) == version


@each_pair
def test_no_field_made_of_parts_of_both_layouts_opens(name: str) -> None:
    """Every head before every wrapped key, tag, nonce, text and tag there is: whole fields alone are left."""
    found = PAIRS[name]
    both = (found.first, found.second)
    whole = {parts.joined() for parts in both}
    tags = (b"", bytes(HEAD_TAG_BYTES[2]), found.second.head_tag)
    opened, tried = set(), set()
    for wrapped in (found.first.wrapped, found.second.wrapped):
        for head, tag, body, text, end in product(heads(wrapped), tags, both, both, both):
            sealed = Parts(head, wrapped, tag, body.nonce, text.ciphertext, end.tag).joined()
            tried.add(sealed)
            if sealed in whole:
                opened.add(sealed)
            else:
                found.refused(sealed)
    assert opened == whole
    assert len(tried) > 100


@each_pair
def test_the_number_of_the_layout_cannot_be_changed_alone(name: str) -> None:
    found = PAIRS[name]
    for parts, value in product((found.first, found.second), range(256)):
        if value != parts.head[0]:
            found.refused(bytes([value]) + parts.joined()[1:])


@each_pair
@given(tag=st.binary(min_size=HEAD_TAG_BYTES[2], max_size=HEAD_TAG_BYTES[2]), version=st.integers(0, 2**32 - 1))
def test_layout_1_cannot_be_given_a_head_of_layout_2(name: str, tag: bytes, version: int) -> None:
    found = PAIRS[name]
    head = struct.pack(">BIH", 2, version, len(found.first.wrapped))
    found.refused(replace(found.first, head=head, head_tag=tag).joined())


@pytest.mark.parametrize("part", [item.name for item in fields(Parts) if item.name != "head_tag"])
def test_layout_1_is_bound_to_each_of_its_parts_by_the_one_tag_it_has(part: str) -> None:
    """The same row sealed twice with one data key and one nonce: the wrapped keys alone differ, and are told apart."""
    sealer = Sealer(1)
    one = sealer.seal(TEXT, PLACE)
    sealer.entropy.planned = {KEY_BYTES: [sealer.vault.plain[-1]], NONCE_BYTES: [one.nonce]}
    other = sealer.seal(TEXT, PLACE)
    is_same = part in {"head", "nonce", "ciphertext"}
    assert (getattr(one, part) == getattr(other, part)) is is_same
    if not is_same:
        with pytest.raises(CiphertextRefused):
            sealer.envelope.open(replace(one, **{part: getattr(other, part)}).joined(), PLACE)


def test_heads_of_a_field_that_was_wrapped_again_are_whole_or_refused() -> None:
    """The body is the same before and after. So are the data key and the place: no part of one head fits the other's rest."""
    sealer = Sealer()
    before = sealer.seal(TEXT, PLACE)
    sealer.vault.add_wrapping_key(sealer.key)
    after = sealer.apart(sealer.envelope.rewrap(before.joined(), PLACE))
    assert (before.nonce, before.ciphertext, before.tag) == (after.nonce, after.ciphertext, after.tag)
    whole = {before.joined(), after.joined()}
    assert [key_version(sealed) for sealed in (before.joined(), after.joined())] == [1, 2]
    for one, two, three in product((before, after), repeat=3):
        sealed = replace(one, wrapped=two.wrapped, head_tag=three.head_tag).joined()
        if sealed in whole:
            assert sealer.envelope.open(sealed, PLACE).reveal() == TEXT
        else:
            with pytest.raises(CiphertextRefused):
                sealer.envelope.open(sealed, PLACE)
    assert len(whole) == 2


def test_a_head_that_lies_about_its_version_is_refused_though_the_vault_unwraps_its_key() -> None:
    """The vault finds the version by itself; the number is for the rotation, which must not be told that it is done."""
    sealer = Sealer()
    sealer.vault.add_wrapping_key(sealer.key)
    parts = sealer.seal(TEXT, PLACE)
    for version in range(300):
        head = struct.pack(">BIH", 2, version, len(parts.wrapped))
        sealed = replace(parts, head=head).joined()
        if version == 2:
            assert sealer.envelope.open(sealed, PLACE).reveal() == TEXT
        else:
            with pytest.raises(CiphertextRefused):
                sealer.envelope.rewrap(sealed, PLACE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_wrapped_again_or_encrypted_anew_is_of_layout_2(layout: int) -> None:
    sealer = Sealer(layout)
    sealed = sealer.seal(TEXT, PLACE).joined()
    for way in (sealer.envelope.rewrap, sealer.envelope.reencrypt):
        made = way(sealed, PLACE)
        assert made[0] == 2
        assert sealer.envelope.open(made, PLACE).reveal() == TEXT
