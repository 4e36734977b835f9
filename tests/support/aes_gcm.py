"""AES-GCM a second time, from the standards' text and in nothing but integers: what the library says is checked against it.

Slow, and open to whoever can measure time: for tests only. Source: FIPS 197; NIST SP 800-38D, sections 6 and 7.
"""

from __future__ import annotations

from collections.abc import Iterator

_POLYNOMIAL = 0x11B  # FIPS 197 section 4.2: x^8 + x^4 + x^3 + x + 1
_REDUCTION = 0xE1 << 120  # SP 800-38D section 6.3: R
_BLOCK_BYTES, _TAG_BYTES = 16, 16


def _times(left: int, right: int) -> int:
    """Multiply in the field of AES."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 0x100:
            left ^= _POLYNOMIAL
        right >>= 1
    return product


def _substitute(value: int) -> int:
    """Return the S-box's entry: the inverse in the field, then the affine map of FIPS 197 section 5.1.1."""
    inverse = next((other for other in range(256) if _times(value, other) == 1), 0)
    turned = inverse
    for _ in range(4):
        inverse = (inverse << 1 | inverse >> 7) & 0xFF
        turned ^= inverse
    return turned ^ 0x63


_SBOX = tuple(_substitute(value) for value in range(256))


def _expanded(key: bytes) -> list[bytes]:
    """Return one round key per round. Source: FIPS 197 section 5.2."""
    size = len(key) // 4
    words = [key[4 * i : 4 * i + 4] for i in range(size)]
    constant = 1
    for number in range(size, 4 * (size + 7)):
        word = words[-1]
        if number % size == 0:
            word = bytes(_SBOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _times(constant, 2)
        elif size > 6 and number % size == 4:
            word = bytes(_SBOX[byte] for byte in word)
        words.append(_xor(word, words[-size]))
    return [b"".join(words[i : i + 4]) for i in range(0, len(words), 4)]


def _encrypt_block(round_keys: list[bytes], block: bytes) -> bytes:
    """Encrypt one block. Source: FIPS 197 section 5.1."""
    state = _xor(block, round_keys[0])
    for number, round_key in enumerate(round_keys[1:], 1):
        state = bytes(_SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))  # SubBytes, ShiftRows
        if number < len(round_keys) - 1:
            state = b"".join(_mixed(state[i : i + 4]) for i in range(0, 16, 4))
        state = _xor(state, round_key)
    return state


def _mixed(column: bytes) -> bytes:
    return bytes(
        _times(column[i], 2) ^ _times(column[(i + 1) % 4], 3) ^ column[(i + 2) % 4] ^ column[(i + 3) % 4]
        for i in range(4)
    )


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=False))


def _product(left: int, right: int) -> int:
    """Multiply blocks. Source: SP 800-38D section 6.3."""
    product = 0
    for place in range(127, -1, -1):
        if left >> place & 1:
            product ^= right
        right = right >> 1 ^ (_REDUCTION if right & 1 else 0)
    return product


def _blocks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _BLOCK_BYTES):
        yield content[start : start + _BLOCK_BYTES].ljust(_BLOCK_BYTES, b"\0")


def _hash(subkey: int, aad: bytes, ciphertext: bytes) -> bytes:
    """Hash both parts and their lengths. Source: SP 800-38D sections 6.4 and 7.1."""
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    found = 0
    for block in (*_blocks(aad), *_blocks(ciphertext), lengths):
        found = _product(found ^ int.from_bytes(block, "big"), subkey)
    return found.to_bytes(16, "big")


def key_stream(key: bytes, nonce: bytes, size_bytes: int, *, first: int = 2) -> bytes:
    """Return what a text is XORed with under a 96-bit nonce; block 1 hides the tag, so a text begins with block 2."""
    round_keys = _expanded(key)
    blocks = range(first, first + -(-size_bytes // _BLOCK_BYTES))
    return b"".join(_encrypt_block(round_keys, nonce + number.to_bytes(4, "big")) for number in blocks)[:size_bytes]


def encrypt(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
    """Return ciphertext and tag (128 bits).

    Args:
        key: 16, 24 or 32 bytes.
        nonce: 12 bytes.
        plaintext: any length.
        aad: additional authenticated data.
    """
    ciphertext = _xor(plaintext, key_stream(key, nonce, len(plaintext)))
    subkey = int.from_bytes(_encrypt_block(_expanded(key), bytes(_BLOCK_BYTES)), "big")
    return ciphertext, _xor(_hash(subkey, aad, ciphertext), key_stream(key, nonce, _TAG_BYTES, first=1))


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes | None:
    """Return the plaintext; None when the tag does not fit."""
    plaintext = _xor(ciphertext, key_stream(key, nonce, len(ciphertext)))
    return plaintext if encrypt(key, nonce, plaintext, aad)[1] == tag else None
