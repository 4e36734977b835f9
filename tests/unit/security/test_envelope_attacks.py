"""What somebody who can write to the database could do to a sealed field: every way of changing one is refused.

The parts are found by content (`tests.support.sealed_fields`), so that the tests hold for every layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import pairwise, product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.errors import CiphertextRefused, ServiceAway
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope, Place
from shared.testing.key_manager import MemoryKeyManager
from tests.support.sealed_fields import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Parts, Sealer

TEXT = b"AKIDEXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SEALER = Sealer()
PLACE = Place("scan.cloud_accounts", "credentials_encrypted", UUID(int=0xA), UUID(int=1))
PLACES = {
    "row": replace(PLACE, row_id=UUID(int=2)),
    "organisation": replace(PLACE, org_id=UUID(int=0xB)),
    "column": replace(PLACE, column="token_encrypted"),
    "table": replace(PLACE, table="scan.state_sources"),
}
PARTS = SEALER.seal(TEXT, PLACE)
OTHERS = {name: SEALER.seal(TEXT, place) for name, place in PLACES.items()}
AGAIN = SEALER.seal(TEXT, PLACE)  # the same text in the same place: what an earlier dump still holds
SEALED = PARTS.joined()


def refused(sealed: bytes, place: Place = PLACE, envelope: Envelope = SEALER.envelope) -> None:
    with pytest.raises(CiphertextRefused):
        envelope.open(sealed, place)


def test_the_field_opens_as_it_is() -> None:
    """Without this, everything below could be refused for another reason."""
    assert SEALER.envelope.open(SEALED, PLACE).reveal() == TEXT
    for name, place in PLACES.items():
        assert SEALER.envelope.open(OTHERS[name].joined(), place).reveal() == TEXT


@pytest.mark.parametrize("part", [item.name for item in fields(Parts)])
def test_every_flipped_bit_is_refused(part: str) -> None:
    content: bytes = getattr(PARTS, part)
    assert content or part == "between"
    for position, bit in product(range(len(content)), range(8)):
        changed = bytearray(content)
        changed[position] ^= 1 << bit
        refused(replace(PARTS, **{part: bytes(changed)}).joined())


@pytest.mark.parametrize("position", range(len(PARTS.head)))
def test_no_byte_of_the_head_can_have_another_value(position: int) -> None:
    """A lower version, a version to come, a length that lies: whatever the byte means, it has one right value."""
    for value in range(256):
        if value != PARTS.head[position]:
            head = PARTS.head[:position] + bytes([value]) + PARTS.head[position + 1 :]
            refused(replace(PARTS, head=head).joined())


@given(st.binary(min_size=len(PARTS.head), max_size=len(PARTS.head)))
def test_no_other_head_of_the_same_size_opens_the_field(head: bytes) -> None:
    if head != PARTS.head:
        refused(replace(PARTS, head=head).joined())


@given(st.binary(max_size=600))
def test_bytes_from_anywhere_are_refused(found: bytes) -> None:
    refused(found)
    refused(PARTS.head + found)
    refused(PARTS.head + PARTS.wrapped + found)


def test_every_cut_is_refused() -> None:
    for length in range(len(SEALED)):
        refused(SEALED[:length])
        refused(SEALED[length + 1 :])
        refused(SEALED[:length] + SEALED[length + 1 :])


def test_every_doubled_byte_and_every_addition_is_refused() -> None:
    for position in range(len(SEALED)):
        refused(SEALED[: position + 1] + SEALED[position:])
        refused(SEALED[:position] + b"\0" + SEALED[position:])
    for more in (b"\0", SEALED, PARTS.tag, bytes(TAG_BYTES)):
        refused(SEALED + more)
        refused(more + SEALED)


@pytest.mark.parametrize("size", range(4, TAG_BYTES))
def test_a_shorter_tag_is_refused(size: int) -> None:
    """GCM allows tags of 4 to 15 bytes; each is easier to forge. Source: NIST SP 800-38D, appendix C."""
    refused(replace(PARTS, tag=PARTS.tag[:size]).joined())
    empty = SEALER.seal(b"", PLACE)
    assert SEALER.envelope.open(empty.joined(), PLACE).reveal() == b""
    refused(replace(empty, tag=empty.tag[:size]).joined())


def test_the_border_between_text_and_tag_cannot_be_moved() -> None:
    moved = replace(PARTS, ciphertext=PARTS.ciphertext[:-1], tag=PARTS.ciphertext[-1:] + PARTS.tag[:-1])
    refused(moved.joined())
    refused(replace(PARTS, nonce=PARTS.ciphertext[:NONCE_BYTES], ciphertext=PARTS.nonce).joined())


def mixtures(one: Parts, other: Parts) -> Iterator[Parts]:
    """Yield every mixture of two fields that is neither of them."""
    names = [item.name for item in fields(Parts)]
    for chosen in product((one, other), repeat=len(names)):
        mixed = Parts(**{name: getattr(source, name) for name, source in zip(names, chosen, strict=True)})
        if mixed not in (one, other):
            yield mixed


@pytest.mark.parametrize("kind", PLACES)
def test_parts_of_another_rows_field_open_in_neither_place(kind: str) -> None:
    """Also the wrapped key alone: with it, one row's secret would be read under another row's name."""
    tried = 0
    for mixed in mixtures(PARTS, OTHERS[kind]):
        refused(mixed.joined(), PLACE)
        refused(mixed.joined(), PLACES[kind])
        tried += 1
    assert tried >= 14


@pytest.mark.parametrize("kind", PLACES)
def test_a_whole_field_opens_in_its_own_place_alone(kind: str) -> None:
    refused(OTHERS[kind].joined(), PLACE)
    refused(SEALED, PLACES[kind])


def test_parts_of_an_earlier_field_of_the_same_row_do_not_fit() -> None:
    for mixed in mixtures(PARTS, AGAIN):
        refused(mixed.joined())


def test_no_place_can_be_written_as_another_one() -> None:
    """Both sides of each border moved: the names run together into the same text, the place does not."""
    told = []
    for place in (
        Place("a", "b", UUID(int=1), UUID(int=2)),
        Place("ab", "", UUID(int=1), UUID(int=2)),
        Place("", "ab", UUID(int=1), UUID(int=2)),
        Place("b", "a", UUID(int=1), UUID(int=2)),
        Place("a", "b", UUID(int=2), UUID(int=1)),
    ):
        SEALER.seal(b"x", place)
        told.append(SEALER.vault.contexts[-1])
    assert len(set(told)) == len(told)


def test_nonces_and_data_keys_are_random_and_never_come_twice() -> None:
    """10,000 fields: with a counter, a clock or a seed of too few bits, one of these would show it."""
    sealer = Sealer()
    number = 10_000
    sealed = [sealer.seal(b"same", PLACE) for _ in range(number)]
    nonces = [parts.nonce for parts in sealed]
    assert {len(nonce) for nonce in nonces} == {NONCE_BYTES}
    assert len(set(nonces)) == number
    assert len(set(sealer.vault.plain)) == number
    assert {len(key) for key in sealer.vault.plain} == {KEY_BYTES}
    assert len({parts.ciphertext + parts.tag for parts in sealed}) == number
    for position, bit in product(range(NONCE_BYTES), range(8)):
        ones = sum(nonce[position] >> bit & 1 for nonce in nonces)
        assert abs(ones - number / 2) < 500, f"bit {bit} of byte {position} is one in {ones} of {number}"
    steps = {int.from_bytes(later, "big") - int.from_bytes(earlier, "big") for earlier, later in pairwise(nonces)}
    assert len(steps) > number - 10, "the nonces follow each other in steps"


class OddVault(MemoryKeyManager):
    """A vault that gives something else than what it was given."""

    def __init__(self, unwrapped: bytes) -> None:
        super().__init__()
        self._unwrapped = unwrapped

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        return self._unwrapped


@pytest.mark.parametrize("size", [0, 1, 15, 16, 24, 31, 33, 64])
def test_a_data_key_that_is_no_aes_256_key_is_refused(size: int) -> None:
    """16 and 24 bytes are keys of AES too, only weaker ones."""
    refused(SEALED, envelope=SEALER.over(OddVault(b"k" * size)))


def test_a_data_key_that_is_another_one_is_refused() -> None:
    refused(SEALED, envelope=SEALER.over(OddVault(bytes(KEY_BYTES))))
    refused(SEALED, envelope=SEALER.over(OddVault(SEALER.vault.plain[1])))


def test_another_vault_with_a_key_of_the_same_name_is_refused() -> None:
    stranger = MemoryKeyManager()
    stranger.add_wrapping_key(SEALER.key)
    refused(SEALED, envelope=SEALER.over(stranger))


def test_another_key_of_the_same_vault_is_refused() -> None:
    SEALER.vault.add_wrapping_key("another")
    refused(SEALED, envelope=Envelope(SEALER.vault, "another", SEALER.entropy))


def test_trouble_of_the_vault_is_told_apart_from_a_field_that_was_changed() -> None:
    """Whoever mixes the two up deletes credentials because a network was slow."""
    sealer = Sealer()
    sealed = sealer.seal(TEXT, PLACE).joined()
    sealer.vault.is_away = True
    with pytest.raises(ServiceAway):
        sealer.envelope.open(sealed, PLACE)
    with pytest.raises(ServiceAway):
        sealer.envelope.seal(Secret(TEXT), PLACE)
    with pytest.raises(ServiceAway):
        Envelope(sealer.vault, "no-such-key", sealer.entropy).open(sealed, PLACE)
    sealer.vault.is_away = False
    assert sealer.envelope.open(sealed, PLACE).reveal() == TEXT


def test_what_is_refused_says_nothing_of_why_or_what() -> None:
    told = set()
    for sealed in (b"", SEALED[:-1], SEALED[:-1] + b"\0", PARTS.head, OTHERS["row"].joined()):
        with pytest.raises(CiphertextRefused) as caught:
            SEALER.envelope.open(sealed, PLACE)
        told.add((caught.value.code, caught.value.detail, str(caught.value.facts)))
    assert len(told) == 1, "the answer tells a forger how far the field got"
