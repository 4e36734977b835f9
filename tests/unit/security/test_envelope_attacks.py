"""What somebody who can write to the database could do to a sealed field: every way of changing one is refused.

The parts are found by content (`tests.support.sealed_fields`), so that the tests hold for every layout, and each test runs for
the one that is written and for the one that is still opened. How the two are kept apart stands in `test_envelope_layouts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise, product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.errors import CiphertextRefused, ServiceAway
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope, Place
from shared.testing.key_manager import MemoryKeyManager
from tests.support.sealed_fields import KEY_BYTES, LAYOUTS, NONCE_BYTES, TAG_BYTES, Parts, Sealer

TEXT = b"AKIDEXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PLACE = Place("scan.cloud_accounts", "credentials_encrypted", UUID(int=0xA), UUID(int=1))
PLACES = {
    "row": replace(PLACE, row_id=UUID(int=2)),
    "organisation": replace(PLACE, org_id=UUID(int=0xB)),
    "column": replace(PLACE, column="token_encrypted"),
    "table": replace(PLACE, table="scan.state_sources"),
}


@dataclass(frozen=True)
class Field:
    """The same text, sealed in one layout.

    Attributes:
        sealer: sealed all of them.
        parts: the field under attack, in `PLACE`.
        others: sealed in the other places, by their names in `PLACES`.
        again: the same text in the same place: what an earlier dump still holds.
        keys: the data keys in that order.
    """

    sealer: Sealer
    parts: Parts
    others: dict[str, Parts]
    again: Parts
    keys: tuple[bytes, ...]

    @property
    def sealed(self) -> bytes:
        """The field under attack, whole."""
        return self.parts.joined()

    def refused(self, sealed: bytes, place: Place = PLACE, envelope: Envelope | None = None) -> None:
        """Check that a field is neither opened nor made into one that would be."""
        chosen = envelope or self.sealer.envelope
        for way in (chosen.open, chosen.rewrap, chosen.reencrypt):
            with pytest.raises(CiphertextRefused):
                way(sealed, place)


def sealed_in(layout: int) -> Field:
    sealer = Sealer(layout)
    parts = sealer.seal(TEXT, PLACE)
    others = {name: sealer.seal(TEXT, place) for name, place in PLACES.items()}
    again = sealer.seal(TEXT, PLACE)
    return Field(sealer, parts, others, again, tuple(sealer.vault.plain))


FIELDS = {layout: sealed_in(layout) for layout in LAYOUTS}
each_layout = pytest.mark.parametrize("layout", LAYOUTS)


@each_layout
def test_the_field_opens_as_it_is(layout: int) -> None:
    """Without this, everything below could be refused for another reason."""
    field = FIELDS[layout]
    for way in (field.sealer.envelope.rewrap, field.sealer.envelope.reencrypt):
        assert field.sealer.envelope.open(way(field.sealed, PLACE), PLACE).reveal() == TEXT
    for parts, place in [
        (field.parts, PLACE),
        (field.again, PLACE),
        *((field.others[name], PLACES[name]) for name in PLACES),
    ]:
        assert field.sealer.envelope.open(parts.joined(), place).reveal() == TEXT


@pytest.mark.parametrize(
    ("layout", "part"),
    [(layout, item.name) for layout in LAYOUTS for item in fields(Parts) if (layout, item.name) != (1, "head_tag")],
)
def test_every_flipped_bit_is_refused(layout: int, part: str) -> None:
    field = FIELDS[layout]
    content: bytes = getattr(field.parts, part)
    assert content
    for position, bit in product(range(len(content)), range(8)):
        changed = bytearray(content)
        changed[position] ^= 1 << bit
        field.refused(replace(field.parts, **{part: bytes(changed)}).joined())


@pytest.mark.parametrize(
    ("layout", "position"),
    [(layout, position) for layout in LAYOUTS for position in range(len(FIELDS[layout].parts.head))],
)
def test_no_byte_of_the_head_can_have_another_value(layout: int, position: int) -> None:
    """A lower version, a version to come, a length that lies: whatever the byte means, it has one right value."""
    field = FIELDS[layout]
    right = field.parts.head
    for value in range(256):
        if value != right[position]:
            field.refused(replace(field.parts, head=right[:position] + bytes([value]) + right[position + 1 :]).joined())


@each_layout
@given(data=st.data())
def test_no_other_head_of_the_same_size_opens_the_field(layout: int, data: st.DataObject) -> None:
    field = FIELDS[layout]
    size = len(field.parts.head)
    head = data.draw(st.binary(min_size=size, max_size=size))
    if head != field.parts.head:
        field.refused(replace(field.parts, head=head).joined())


@each_layout
@given(found=st.binary(max_size=600))
def test_bytes_from_anywhere_are_refused(layout: int, found: bytes) -> None:
    field = FIELDS[layout]
    before = b""
    for part in (b"", field.parts.head, field.parts.wrapped, field.parts.head_tag):
        before += part
        field.refused(before + found)


@each_layout
def test_every_cut_is_refused(layout: int) -> None:
    field = FIELDS[layout]
    sealed = field.sealed
    for length in range(len(sealed)):
        field.refused(sealed[:length])
        field.refused(sealed[length + 1 :])
        field.refused(sealed[:length] + sealed[length + 1 :])


@each_layout
def test_every_doubled_byte_and_every_addition_is_refused(layout: int) -> None:
    field = FIELDS[layout]
    sealed = field.sealed
    for position in range(len(sealed)):
        field.refused(sealed[: position + 1] + sealed[position:])
        field.refused(sealed[:position] + b"\0" + sealed[position:])
    for more in (b"\0", sealed, field.parts.tag, bytes(TAG_BYTES)):
        field.refused(sealed + more)
        field.refused(more + sealed)


@each_layout
@pytest.mark.parametrize("size", range(4, TAG_BYTES))
def test_a_shorter_tag_is_refused(layout: int, size: int) -> None:
    """GCM allows tags of 4 to 15 bytes; each is easier to forge. Source: NIST SP 800-38D, appendix C."""
    field = FIELDS[layout]
    field.refused(replace(field.parts, tag=field.parts.tag[:size]).joined())
    empty = field.sealer.seal(b"", PLACE)
    assert field.sealer.envelope.open(empty.joined(), PLACE).reveal() == b""
    field.refused(replace(empty, tag=empty.tag[:size]).joined())


@each_layout
def test_the_border_between_two_parts_cannot_be_moved(layout: int) -> None:
    field = FIELDS[layout]
    parts = field.parts
    moved = replace(parts, ciphertext=parts.ciphertext[:-1], tag=parts.ciphertext[-1:] + parts.tag[:-1])
    field.refused(moved.joined())
    field.refused(replace(parts, nonce=parts.ciphertext[:NONCE_BYTES], ciphertext=parts.nonce).joined())
    field.refused(replace(parts, wrapped=parts.head_tag + parts.nonce, head_tag=parts.wrapped, nonce=b"").joined())


def mixtures(one: Parts, other: Parts) -> Iterator[Parts]:
    """Yield every mixture of two fields that is neither of them, each once."""
    names = [item.name for item in fields(Parts)]
    told = {one, other}
    for chosen in product((one, other), repeat=len(names)):
        mixed = Parts(**{name: getattr(source, name) for name, source in zip(names, chosen, strict=True)})
        if mixed not in told:
            told.add(mixed)
            yield mixed


@each_layout
@pytest.mark.parametrize("kind", PLACES)
def test_parts_of_another_rows_field_open_in_neither_place(layout: int, kind: str) -> None:
    """Also the wrapped key alone: with it, one row's secret would be read under another row's name."""
    field = FIELDS[layout]
    tried = 0
    for mixed in mixtures(field.parts, field.others[kind]):
        field.refused(mixed.joined(), PLACE)
        field.refused(mixed.joined(), PLACES[kind])
        tried += 1
    assert tried == 2 ** {1: 4, 2: 5}[layout] - 2, "the heads alone are the same"


@each_layout
@pytest.mark.parametrize("kind", PLACES)
def test_a_whole_field_opens_in_its_own_place_alone(layout: int, kind: str) -> None:
    field = FIELDS[layout]
    field.refused(field.others[kind].joined(), PLACE)
    field.refused(field.sealed, PLACES[kind])


@each_layout
def test_parts_of_an_earlier_field_of_the_same_row_do_not_fit(layout: int) -> None:
    field = FIELDS[layout]
    for mixed in mixtures(field.parts, field.again):
        field.refused(mixed.joined())


@each_layout
def test_no_place_can_be_written_as_another_one(layout: int) -> None:
    """Both sides of each border moved: the names run together into the same text, the place does not."""
    sealer = Sealer(layout)
    told = []
    for place in (
        Place("a", "b", UUID(int=1), UUID(int=2)),
        Place("ab", "", UUID(int=1), UUID(int=2)),
        Place("", "ab", UUID(int=1), UUID(int=2)),
        Place("b", "a", UUID(int=1), UUID(int=2)),
        Place("a", "b", UUID(int=2), UUID(int=1)),
    ):
        sealer.seal(b"x", place)
        told.append(sealer.vault.contexts[-1])
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


@each_layout
@pytest.mark.parametrize("size", [0, 1, 15, 16, 24, 31, 33, 64])
def test_a_data_key_that_is_no_aes_256_key_is_refused(layout: int, size: int) -> None:
    """16 and 24 bytes are keys of AES too, only weaker ones."""
    field = FIELDS[layout]
    field.refused(field.sealed, envelope=field.sealer.over(OddVault(b"k" * size)))


@each_layout
def test_a_data_key_that_is_another_one_is_refused(layout: int) -> None:
    field = FIELDS[layout]
    for key in (bytes(KEY_BYTES), *field.keys[1:]):
        field.refused(field.sealed, envelope=field.sealer.over(OddVault(key)))


@each_layout
def test_another_vault_with_a_key_of_the_same_name_is_refused(layout: int) -> None:
    field = FIELDS[layout]
    stranger = MemoryKeyManager()
    stranger.add_wrapping_key(field.sealer.key)
    field.refused(field.sealed, envelope=field.sealer.over(stranger))


@each_layout
def test_another_key_of_the_same_vault_is_refused(layout: int) -> None:
    field = FIELDS[layout]
    field.sealer.vault.add_wrapping_key("another")
    field.refused(field.sealed, envelope=Envelope(field.sealer.vault, "another", field.sealer.entropy))


@each_layout
def test_trouble_of_the_vault_is_told_apart_from_a_field_that_was_changed(layout: int) -> None:
    """Whoever mixes the two up deletes credentials because a network was slow."""
    sealer = Sealer(layout)
    sealed = sealer.seal(TEXT, PLACE).joined()
    sealer.vault.is_away = True
    for way in (sealer.envelope.open, sealer.envelope.rewrap, sealer.envelope.reencrypt):
        with pytest.raises(ServiceAway):
            way(sealed, PLACE)
    with pytest.raises(ServiceAway):
        sealer.envelope.seal(Secret(TEXT), PLACE)
    with pytest.raises(ServiceAway):
        Envelope(sealer.vault, "no-such-key", sealer.entropy).open(sealed, PLACE)
    sealer.vault.is_away = False
    assert sealer.envelope.open(sealed, PLACE).reveal() == TEXT


def test_what_is_refused_says_nothing_of_why_or_what() -> None:
    told = set()
    for field in FIELDS.values():
        sealed, parts = field.sealed, field.parts
        for changed in (b"", b"\0", sealed[:-1], sealed[:-1] + b"\0", parts.head, parts.head + parts.wrapped):
            told.add(refusal(field, changed))
        told.add(refusal(field, replace(parts, head_tag=bytes(len(parts.head_tag)), nonce=bytes(NONCE_BYTES)).joined()))
        told.add(refusal(field, field.others["row"].joined()))
    assert len(told) == 1, "the answer tells a forger how far the field got"


def refusal(field: Field, sealed: bytes) -> tuple[str, str | None, str]:
    with pytest.raises(CiphertextRefused) as caught:
        field.sealer.envelope.open(sealed, PLACE)
    return caught.value.code, caught.value.detail, str(caught.value.facts)
