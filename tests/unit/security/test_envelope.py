"""Envelope encryption: opened in its place, refused anywhere else and after any change."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.clock import SystemEntropy
from shared.ports.errors import CiphertextRefused, ServiceAway
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope, Place
from shared.testing.clock import FixedEntropy
from shared.testing.key_manager import MemoryKeyManager

VAULT = MemoryKeyManager()
for _key in ("credentials", "other"):
    VAULT.add_wrapping_key(_key)
ENVELOPE = Envelope(VAULT, "credentials", SystemEntropy())
PLACE = Place("scan.cloud_accounts", "credentials", UUID(int=1), UUID(int=2))
SEALED = ENVELOPE.seal(Secret(b"a secret access key"), PLACE)


@given(st.binary(max_size=5000), st.uuids(), st.uuids())
def test_what_was_sealed_is_opened(plaintext: bytes, org_id: UUID, row_id: UUID) -> None:
    place = Place("t", "c", org_id, row_id)
    sealed = ENVELOPE.seal(Secret(plaintext), place)
    assert ENVELOPE.open(sealed, place).reveal() == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed


@pytest.mark.parametrize("place", range(len(SEALED)))
def test_each_changed_byte_is_refused(place: int) -> None:
    for mask in (0x01, 0x80, 0xFF):
        changed = SEALED[:place] + bytes([SEALED[place] ^ mask]) + SEALED[place + 1 :]
        with pytest.raises(CiphertextRefused):
            ENVELOPE.open(changed, PLACE)


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_each_cut_is_refused(length: int) -> None:
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(SEALED[:length], PLACE)


@pytest.mark.parametrize("more", [b"\x00", b"x" * 16, SEALED])
def test_what_is_longer_than_it_was_is_refused(more: bytes) -> None:
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(SEALED + more, PLACE)


@pytest.mark.parametrize(
    "place",
    [
        replace(PLACE, table="scan.state_sources"),
        replace(PLACE, column="token"),
        replace(PLACE, org_id=UUID(int=9)),
        replace(PLACE, row_id=UUID(int=9)),
        replace(PLACE, org_id=PLACE.row_id, row_id=PLACE.org_id),
        replace(PLACE, table="credentials", column="scan.cloud_accounts"),
    ],
    ids=["table", "column", "organisation", "row", "ids swapped", "names swapped"],
)
def test_a_ciphertext_moved_elsewhere_is_refused(place: Place) -> None:
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(SEALED, place)


@given(
    st.text("ab.|", max_size=4), st.text("ab.|", max_size=4), st.text("ab.|", max_size=4), st.text("ab.|", max_size=4)
)
def test_two_places_with_real_names_never_look_alike(
    table: str, column: str, other_table: str, other_column: str
) -> None:
    if "|" in table + column + other_table + other_column or (table, column) == (other_table, other_column):
        return
    one, other = (
        Place(table, column, UUID(int=1), UUID(int=2)),
        Place(other_table, other_column, UUID(int=1), UUID(int=2)),
    )
    assert one.context() != other.context()


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused(version: int) -> None:
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(bytes([version]) + SEALED[1:], PLACE)


def test_the_wrapped_key_of_another_row_is_refused() -> None:
    """Both records are whole, of one organisation; only their data keys changed places."""
    other = ENVELOPE.seal(Secret(b"a secret access key"), replace(PLACE, row_id=UUID(int=3)))
    size = int.from_bytes(SEALED[1:3], "big")
    assert size == int.from_bytes(other[1:3], "big")
    swapped = SEALED[:3] + other[3 : 3 + size] + SEALED[3 + size :]
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(swapped, PLACE)


def test_another_kms_key_cannot_open_it() -> None:
    with pytest.raises(CiphertextRefused):
        Envelope(VAULT, "other", SystemEntropy()).open(SEALED, PLACE)


def test_every_seal_has_a_data_key_and_a_nonce_of_its_own() -> None:
    sealed = [ENVELOPE.seal(Secret(b"same"), PLACE) for _ in range(50)]
    size = int.from_bytes(sealed[0][1:3], "big")
    assert len({item[3 : 3 + size] for item in sealed}) == 50
    assert len({item[3 + size : 15 + size] for item in sealed}) == 50


def test_a_data_key_of_another_length_is_refused() -> None:
    """AES-128 would open it: everything else about the record is right."""
    key, nonce = b"k" * 16, bytes(12)
    wrapped = VAULT.wrap("credentials", key, context=PLACE.context())
    head = b"\x01" + len(wrapped).to_bytes(2, "big") + wrapped
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(head + nonce + AESGCM(key).encrypt(nonce, b"x", head + PLACE.context()), PLACE)


def test_a_rotated_key_opens_what_its_older_version_sealed() -> None:
    vault = MemoryKeyManager()
    vault.add_wrapping_key("k")
    envelope = Envelope(vault, "k", FixedEntropy())
    old = envelope.seal(Secret(b"old"), PLACE)
    vault.add_wrapping_key("k")
    assert envelope.open(old, PLACE).reveal() == b"old"
    assert envelope.open(envelope.seal(Secret(b"new"), PLACE), PLACE).reveal() == b"new"


def test_a_vault_that_is_away_is_a_503_and_no_refusal() -> None:
    vault = MemoryKeyManager()
    vault.add_wrapping_key("k")
    envelope = Envelope(vault, "k", FixedEntropy())
    sealed = envelope.seal(Secret(b"x"), PLACE)
    vault.is_away = True
    with pytest.raises(ServiceAway):
        envelope.open(sealed, PLACE)
    with pytest.raises(ServiceAway):
        envelope.seal(Secret(b"x"), PLACE)
