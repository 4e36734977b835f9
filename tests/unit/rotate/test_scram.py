"""The verifier that PostgreSQL stores instead of a password."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramMechanism

from infra.rotate.scram import scram_verifier

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64)


@given(PRINTABLE, st.binary(min_size=16, max_size=16))
def test_it_is_what_the_drivers_own_library_derives(password: str, salt: bytes) -> None:
    _, stored_key, server_key, _ = ScramMechanism("SCRAM-SHA-256").make_auth_info(password, 4096, salt)
    keys = f"{b64encode(stored_key).decode()}:{b64encode(server_key).decode()}"
    assert scram_verifier(password, salt) == f"SCRAM-SHA-256$4096:{b64encode(salt).decode()}${keys}"


def test_the_example_of_the_specification() -> None:
    """RFC 7677 section 3 gives no keys, but a signature that only the right server key makes."""
    verifier = scram_verifier("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    server_key = b64decode(verifier.rsplit(":", 1)[1])
    message = (
        "n=user,r=rOprNGfwEbeRWgbNEkqO,"
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = b64encode(hmac.digest(server_key, message.encode(), "sha256"))
    assert signature == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@pytest.mark.parametrize("password", ["", "pässword", "tab\there", "nul\0", "soft\u00adhyphen"])
def test_what_would_have_to_be_prepared_first_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        scram_verifier(password, bytes(16))
