"""Envelope encryption: opened in its place, refused anywhere else and after any change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.clock import SystemEntropy
from shared.ports.errors import CiphertextRefused, ServiceAway, VersionUnusable
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope, Place, key_version
from shared.testing.clock import FixedEntropy
from shared.testing.key_manager import MemoryKeyManager
from tests.support.envelopes import seal_layout_1

VAULT = MemoryKeyManager()
for _key in ("credentials", "other"):
    VAULT.add_wrapping_key(_key)
ENVELOPE = Envelope(VAULT, "credentials", SystemEntropy())
PLACE = Place("scan.cloud_accounts", "credentials", UUID(int=1), UUID(int=2))
SEALED = ENVELOPE.seal(Secret(b"a secret access key"), PLACE)
SEALED_1 = seal_layout_1(VAULT, "credentials", b"a secret access key", PLACE)
HEAD_BYTES, TAG_BYTES = 7, 32
WRAPPED_BYTES = int.from_bytes(SEALED[5:7], "big")
BODY = HEAD_BYTES + WRAPPED_BYTES + TAG_BYTES


@given(st.binary(max_size=5000), st.uuids(), st.uuids())
def test_what_was_sealed_is_opened(plaintext: bytes, org_id: UUID, row_id: UUID) -> None:
    place = Place("t", "c", org_id, row_id)
    sealed = ENVELOPE.seal(Secret(plaintext), place)
    assert ENVELOPE.open(sealed, place).reveal() == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed


@pytest.mark.parametrize("sealed", [SEALED, SEALED_1], ids=["layout 2", "layout 1"])
def test_each_changed_byte_is_refused(sealed: bytes) -> None:
    for place in range(len(sealed)):
        for mask in (0x01, 0x03, 0x80, 0xFF):
            changed = sealed[:place] + bytes([sealed[place] ^ mask]) + sealed[place + 1 :]
            with pytest.raises(CiphertextRefused):
                ENVELOPE.open(changed, PLACE)
            with pytest.raises(CiphertextRefused):
                ENVELOPE.rewrap(changed, PLACE)


@pytest.mark.parametrize("sealed", [SEALED, SEALED_1], ids=["layout 2", "layout 1"])
def test_each_cut_is_refused(sealed: bytes) -> None:
    for length in range(len(sealed)):
        with pytest.raises(CiphertextRefused):
            ENVELOPE.open(sealed[:length], PLACE)


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


@pytest.mark.parametrize("layout", [0, 3, 255])
def test_another_layout_is_refused(layout: int) -> None:
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(bytes([layout]) + SEALED[1:], PLACE)
    with pytest.raises(CiphertextRefused):
        key_version(bytes([layout]) + SEALED[1:])


def as_layout_1() -> bytes:
    """The parts of a ciphertext of layout 2, in the order of layout 1."""
    wrapped = SEALED[HEAD_BYTES : HEAD_BYTES + WRAPPED_BYTES]
    return b"\x01" + WRAPPED_BYTES.to_bytes(2, "big") + wrapped + SEALED[BODY:]


def as_layout_2() -> bytes:
    size = int.from_bytes(SEALED_1[1:3], "big")
    return b"\x02" + (1).to_bytes(4, "big") + SEALED_1[1 : 3 + size] + bytes(TAG_BYTES) + SEALED_1[3 + size :]


@pytest.mark.parametrize("rebuild", [as_layout_1, as_layout_2], ids=["downgrade", "upgrade"])
def test_one_layout_is_not_passed_off_as_the_other(rebuild: Callable[[], bytes]) -> None:
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(rebuild(), PLACE)


def test_the_data_key_of_one_layout_does_not_open_the_other() -> None:
    """A vault that wrapped this data key under the context of layout 1 as well: the bodies still tell them apart."""
    data_key = VAULT.unwrap("credentials", SEALED[HEAD_BYTES : HEAD_BYTES + WRAPPED_BYTES], context=PLACE.context())
    wrapped = VAULT.wrap("credentials", data_key, context=PLACE.context(1)).ciphertext
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(b"\x01" + len(wrapped).to_bytes(2, "big") + wrapped + SEALED[BODY:], PLACE)


def test_the_first_layout_is_still_opened_and_says_no_version() -> None:
    assert ENVELOPE.open(SEALED_1, PLACE).reveal() == b"a secret access key"
    assert key_version(SEALED_1) == 0


def test_the_wrapped_key_of_another_row_is_refused() -> None:
    """Both records are whole, of one organisation; only their data keys changed places."""
    other = ENVELOPE.seal(Secret(b"a secret access key"), replace(PLACE, row_id=UUID(int=3)))
    assert len(other) == len(SEALED)
    for end in (HEAD_BYTES + WRAPPED_BYTES, BODY):  # the key alone, and with its tag
        with pytest.raises(CiphertextRefused):
            ENVELOPE.open(SEALED[:HEAD_BYTES] + other[HEAD_BYTES:end] + SEALED[end:], PLACE)


def test_another_kms_key_cannot_open_it() -> None:
    with pytest.raises(CiphertextRefused):
        Envelope(VAULT, "other", SystemEntropy()).open(SEALED, PLACE)


def test_every_seal_has_a_data_key_and_a_nonce_of_its_own() -> None:
    sealed = [ENVELOPE.seal(Secret(b"same"), PLACE) for _ in range(50)]
    assert len({item[HEAD_BYTES : HEAD_BYTES + WRAPPED_BYTES] for item in sealed}) == 50
    assert len({item[BODY : BODY + 12] for item in sealed}) == 50


def test_a_data_key_of_another_length_is_refused() -> None:
    """AES-128 would open it: everything else about the record is right."""
    with pytest.raises(CiphertextRefused):
        ENVELOPE.open(seal_layout_1(VAULT, "credentials", b"x", PLACE, data_key=b"k" * 16), PLACE)


# --- a new version of the KMS key -------------------------------------------------------------------------------------


class Rotated:
    """A key with one version, something sealed under it, and then a second version."""

    def __init__(self) -> None:
        self.vault = MemoryKeyManager()
        self.vault.add_wrapping_key("k")
        self.envelope = Envelope(self.vault, "k", SystemEntropy())
        self.old = self.envelope.seal(Secret(b"old"), PLACE)
        self.old_1 = seal_layout_1(self.vault, "k", b"old", PLACE)
        self.vault.add_wrapping_key("k")


def test_a_rotated_key_opens_what_its_older_version_sealed_and_seals_under_the_new_one() -> None:
    key = Rotated()
    new = key.envelope.seal(Secret(b"new"), PLACE)
    assert (key_version(key.old), key_version(new), key.envelope.present_version()) == (1, 2, 2)
    assert key.envelope.open(key.old, PLACE).reveal() == b"old"
    assert key.envelope.open(new, PLACE).reveal() == b"new"


def test_a_data_key_that_is_wrapped_again_leaves_the_body_as_it_was() -> None:
    key = Rotated()
    again = key.envelope.rewrap(key.old, PLACE)
    size = int.from_bytes(again[5:7], "big")
    assert again[HEAD_BYTES + size + TAG_BYTES :] == key.old[BODY:], "a second encryption under one nonce"
    assert key_version(again) == 2
    key.vault.disable_version("k", "1")
    assert key.envelope.open(again, PLACE).reveal() == b"old"


@pytest.mark.parametrize("name", ["old", "old_1"])
def test_what_is_encrypted_anew_shares_nothing_with_what_it_was(name: str) -> None:
    key = Rotated()
    before: bytes = getattr(key, name)
    for change in (key.envelope.reencrypt, *([key.envelope.rewrap] if name == "old_1" else [])):
        again = change(before, PLACE)
        assert key_version(again) == 2
        assert before[-31:] != again[-31:]
        assert key.envelope.open(again, PLACE).reveal() == b"old"
    key.vault.disable_version("k", "1")
    assert key.envelope.open(again, PLACE).reveal() == b"old"


@pytest.mark.parametrize("change", ["open", "rewrap", "reencrypt"])
def test_a_disabled_version_is_a_503_that_says_so_and_no_refusal(change: str) -> None:
    key = Rotated()
    key.vault.disable_version("k", "1")
    with pytest.raises(VersionUnusable) as caught:
        getattr(key.envelope, change)(key.old, PLACE)
    assert (caught.value.status, caught.value.code) == (503, "service_away")


def test_a_primary_version_that_is_disabled_is_not_taken_for_the_ciphertexts() -> None:
    key = Rotated()
    key.vault.disable_version("k", "2")
    with pytest.raises(ServiceAway) as caught:
        key.envelope.rewrap(key.old, PLACE)
    assert not isinstance(caught.value, VersionUnusable)


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
