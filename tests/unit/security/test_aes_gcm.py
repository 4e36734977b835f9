"""AES-GCM itself, and under the envelope, against cases that another implementation computed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.ports.errors import CiphertextRefused
from shared.security.envelope import Place
from tests.support import aes_gcm
from tests.support.aes_gcm_vectors import FILE, rendered
from tests.support.sealed_fields import KEY_BYTES, NONCE_BYTES, Parts, Sealer

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


def sealed_as(case: Case) -> tuple[Sealer, Parts]:
    """Seal the case's text under its key and its nonce."""
    sealer = Sealer()
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
def test_the_envelope_seals_with_the_very_cipher(case: Case) -> None:
    """Under the case's data key and nonce, the text becomes what the other implementation makes of it."""
    sealer, parts = sealed_as(case)
    assert sealer.vault.plain == [case.key]
    assert parts.nonce == case.nonce
    key, covered = parts.cipher(case.key, sealer.vault.contexts[-1])
    assert aes_gcm.encrypt(key, case.nonce, case.text, covered) == (parts.ciphertext, parts.tag)
    assert sealer.envelope.open(parts.joined(), PLACE).reveal() == case.text


@over([case for case in INVALID if "ModifiedTag" in case.flags])
def test_the_envelope_refuses_a_tag_changed_in_the_same_way(case: Case) -> None:
    sealer, parts = sealed_as(case)
    _, right = aes_gcm.encrypt(case.key, case.nonce, case.text, case.aad)
    changed = bytes(tag ^ one ^ other for tag, one, other in zip(parts.tag, right, case.tag, strict=True))
    assert changed != parts.tag
    with pytest.raises(CiphertextRefused):
        sealer.envelope.open(replace(parts, tag=changed).joined(), PLACE)


@over([case for case in INVALID if "TruncatedTag" in case.flags])
def test_the_envelope_refuses_a_tag_cut_in_the_same_way(case: Case) -> None:
    sealer, parts = sealed_as(case)
    cut = parts.joined()[: len(case.tag) - len(parts.tag)]
    with pytest.raises(CiphertextRefused):
        sealer.envelope.open(cut, PLACE)
