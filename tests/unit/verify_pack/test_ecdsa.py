"""ECDSA over P-256 as the verifier does it, against the `cryptography` package and the usual ways to get it wrong."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from infra.verify_pack.verify_pack import _G, _N, _P, _add, is_on_curve, verify_es256

MESSAGE = b"a manifest"


def point(private: ec.EllipticCurvePrivateKey) -> tuple[int, int]:
    numbers = private.public_key().public_numbers()
    return numbers.x, numbers.y


def sign(private: ec.EllipticCurvePrivateKey, message: bytes = MESSAGE) -> tuple[int, int]:
    return decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def peer(private: ec.EllipticCurvePrivateKey, signature: bytes, message: bytes = MESSAGE) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        private.public_key().verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


KEY = ec.derive_private_key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ec.SECP256R1())
R, S = sign(KEY)


def test_the_vector_of_rfc_6979() -> None:
    """RFC 6979 appendix A.2.5, SHA-256, message `sample`."""
    r = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    s = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
    assert verify_es256(point(KEY), raw(r, s), b"sample")
    assert not verify_es256(point(KEY), raw(r, s), b"sampl3")


def test_both_agree_on_good_ones_of_many_keys() -> None:
    for scalar in (1, 2, 3, _N - 1, _N - 2, 2**255, 0x1234567890ABCDEF):
        private = ec.derive_private_key(scalar, ec.SECP256R1())
        for message in (b"", b"x" * 1000, MESSAGE):
            signature = raw(*sign(private, message))
            assert peer(private, signature, message)
            assert verify_es256(point(private), signature, message)


def test_both_agree_on_what_was_changed_by_one_bit() -> None:
    good = raw(R, S)
    for bit in range(0, 512, 13):
        spoiled = bytearray(good)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert verify_es256(point(KEY), bytes(spoiled), MESSAGE) == peer(KEY, bytes(spoiled)) is False


DIGEST = int.from_bytes(hashlib.sha256(MESSAGE).digest(), "big")
BAD = {
    "zeros": (0, 0), "r is zero": (0, S), "s is zero": (R, 0), "ones": (1, 1), "r is the order": (_N, S), "s is the order": (R, _N),
    "r is the order less one": (_N - 1, S), "s beyond the order": (R, min(S + _N, 2**256 - 1)), "r of the field": (_P % 2**256, S),
    "r of the field less the order": (_P - _N, S), "swapped": (S, R), "r is the digest": (DIGEST % _N, S), "largest": (2**256 - 1, 2**256 - 1),
    "half of the order": (R, (_N - 1) // 2), "r negated": (_N - R, S), "s inverted": (R, pow(S, -1, _N)), "s is one": (R, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_signature_that_is_none_is_refused_by_both(case: str) -> None:
    signature = raw(*BAD[case])
    assert verify_es256(point(KEY), signature, MESSAGE) == peer(KEY, signature) is False


def test_the_mirrored_signature_is_as_good_for_both() -> None:
    """ECDSA has two signatures for each; a pack is known by its content, not by its signature."""
    mirrored = raw(R, _N - S)
    assert verify_es256(point(KEY), mirrored, MESSAGE)
    assert peer(KEY, mirrored)


@pytest.mark.parametrize(
    "change", [lambda s: s[:-1], lambda s: s + b"\0", lambda _: b"", lambda s: b"\0" + s, lambda s: s[:32]]
)
def test_another_length_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    assert not verify_es256(point(KEY), change(raw(R, S)), MESSAGE)


def test_der_is_not_taken() -> None:
    assert not verify_es256(point(KEY), encode_dss_signature(R, S), MESSAGE)


@pytest.mark.parametrize(
    "key", [(0, 0), (_G[0], _G[1] + 1), (_G[0] + _P, _G[1]), (_G[0], _G[1] - _P), (_P, _P), (2**256, 1), (1, 1), (-1, 1)]
)  # fmt: skip
def test_what_is_no_point_is_no_key(key: tuple[int, int]) -> None:
    assert not is_on_curve(*key)
    assert not verify_es256(key, raw(R, S), MESSAGE)


def test_a_sum_at_infinity_is_refused() -> None:
    """With the private key 1 and s chosen so that u1 + u2 is zero, the point is none."""
    r = _N - DIGEST % _N
    assert not verify_es256(_G, raw(r, 5), MESSAGE)
    assert not peer(ec.derive_private_key(1, ec.SECP256R1()), raw(r, 5))


def test_points_add_up() -> None:
    mirrored = (_G[0], _P - _G[1])
    assert _add(_G, mirrored) is None
    assert _add(None, _G) == _add(_G, None) == _G
    three = point(ec.derive_private_key(3, ec.SECP256R1()))
    assert _add(_add(_G, _G), _G) == _add(_G, _add(_G, _G)) == three
