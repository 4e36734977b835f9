"""AES-GCM itself, and under the envelope, against cases that another implementation computed.

Layout 1 encrypts under the data key itself, so that the cases stand in its fields as they are. Layout 2 derives its keys
first: what it gives is computed a second time, by the cipher that these cases check and by HKDF from its standard's text.
"""

from __future__ import annotations

import hmac
import json
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shared.ports.errors import CiphertextRefused
from shared.security.envelope import Place
from tests.support import aes_gcm, hkdf
from tests.support.aes_gcm_vectors import FILE, rendered
from tests.support.sealed_fields import KEY_BYTES, LAYOUTS, NONCE_BYTES, Parts, Sealer, keys_of

DOCUMENT: dict[str, Any] = json.loads(FILE.read_bytes())
PLACE = Place("scan.cloud_accounts", "credentials", UUID(int=1), UUID(int=2))


class Case:
    """One case, with its parts as bytes."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.name = f"{found['tcId']} {found['comment']}"
        self.is_valid = found["result"] == "valid"
        self.flags = frozenset(found["flags"])
        parts = (bytes.fromhex(found[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag"))
        self.key, self.nonce, self.aad, self.text, self.ciphertext, self.tag = parts


CASES = [Case(found) for group in DOCUMENT["testGroups"] for found in group["tests"]]
VALID = [case for case in CASES if case.is_valid]
INVALID = [case for case in CASES if not case.is_valid]


def over(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def sealed_as(case: Case, layout: int) -> tuple[Sealer, Parts]:
    """Seal the case's text with its key as the data key and its nonce."""
    sealer = Sealer(layout)
    sealer.entropy.planned = {KEY_BYTES: [case.key], NONCE_BYTES: [case.nonce]}
    return sealer, sealer.seal(case.text, PLACE)


def test_the_file_is_what_its_generator_writes() -> None:
    assert FILE.read_text("utf-8") == rendered(), "run `python -m tests.support.aes_gcm_vectors`"
    assert DOCUMENT["numberOfTests"] == len(CASES) == len({case.name for case in CASES})
    assert {flag for case in CASES for flag in case.flags} == set(DOCUMENT["notes"])
    assert len(VALID) > 60
    assert len(INVALID) > 80


@over(VALID)
def test_the_library_gives_and_takes_what_the_standard_says(case: Case) -> None:
    assert AESGCM(case.key).encrypt(case.nonce, case.text, case.aad) == case.ciphertext + case.tag
    assert AESGCM(case.key).decrypt(case.nonce, case.ciphertext + case.tag, case.aad) == case.text


@over(INVALID)
def test_the_library_refuses_what_was_changed(case: Case) -> None:
    assert aes_gcm.decrypt(case.key, case.nonce, case.ciphertext, case.tag, case.aad) is None
    with pytest.raises(InvalidTag):
        AESGCM(case.key).decrypt(case.nonce, case.ciphertext + case.tag, case.aad)


@over(VALID)
def test_layout_1_holds_the_very_cipher(case: Case) -> None:
    """Under the case's key and nonce the text looks like the case's, and the tag covers head, wrapped key and place."""
    sealer, parts = sealed_as(case, 1)
    assert sealer.vault.plain == [case.key]
    assert (parts.nonce, parts.ciphertext) == (case.nonce, case.ciphertext)
    covered = parts.head + parts.wrapped + sealer.vault.contexts[-1]
    assert aes_gcm.decrypt(case.key, parts.nonce, parts.ciphertext, parts.tag, covered) == case.text
    assert sealer.envelope.open(parts.joined(), PLACE).reveal() == case.text


@over(VALID)
def test_layout_2_seals_with_the_very_cipher_under_a_key_of_its_own(case: Case) -> None:
    """The body's tag covers the place alone, the head's covers head, wrapped key and place; each has its own key."""
    sealer, parts = sealed_as(case, 2)
    assert sealer.vault.plain == [case.key]
    sealing_key, head_key = keys_of(case.key)
    assert len({case.key, sealing_key, head_key}) == 3
    context = sealer.vault.contexts[-1]
    made = aes_gcm.encrypt(sealing_key, case.nonce, case.text, context)
    assert (parts.nonce, parts.ciphertext, parts.tag) == (case.nonce, *made)
    assert parts.head_tag == hmac.digest(head_key, parts.head + parts.wrapped + context, "sha256")
    assert sealer.envelope.open(parts.joined(), PLACE).reveal() == case.text


# Source: RFC 5869, appendices A.1 to A.3 (SHA-256).
HKDF_CASES = [
    ("0b" * 22, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42,
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    (bytes(range(0x50)).hex(), bytes(range(0x60, 0xB0)).hex(), bytes(range(0xB0, 0x100)).hex(), 82,
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"),
    ("0b" * 22, "", "", 42,
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]  # fmt: skip


@pytest.mark.parametrize("case", HKDF_CASES, ids=["A.1", "A.2", "A.3"])
def test_the_keys_of_layout_2_are_derived_as_the_standard_says(case: tuple[str, str, str, int, str, str]) -> None:
    material, salt, info = (bytes.fromhex(text) for text in case[:3])
    size, key, made = case[3], bytes.fromhex(case[4]), bytes.fromhex(case[5])
    assert hkdf.extract(salt, material) == key
    assert hkdf.expand(key, info, size) == made
    assert HKDFExpand(SHA256(), size, info).derive(key) == made


@each_layout
@over([case for case in INVALID if "ModifiedTag" in case.flags])
def test_the_envelope_refuses_a_tag_changed_in_the_same_way(case: Case, layout: int) -> None:
    sealer, parts = sealed_as(case, layout)
    ciphertext, right = aes_gcm.encrypt(case.key, case.nonce, case.text, case.aad)
    assert ciphertext == case.ciphertext
    changed = bytes(tag ^ one ^ other for tag, one, other in zip(parts.tag, right, case.tag, strict=True))
    assert changed != parts.tag
    with pytest.raises(CiphertextRefused):
        sealer.envelope.open(parts.joined()[: -len(changed)] + changed, PLACE)


@each_layout
@over([case for case in INVALID if "TruncatedTag" in case.flags])
def test_the_envelope_refuses_a_tag_cut_in_the_same_way(case: Case, layout: int) -> None:
    sealer, parts = sealed_as(case, layout)
    cut = parts.joined()[: len(case.tag) - len(parts.tag)]
    with pytest.raises(CiphertextRefused):
        sealer.envelope.open(cut, PLACE)
