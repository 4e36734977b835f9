"""Writes `tests/fixtures/aead/aes_gcm.json`: AES-256-GCM cases in the schema that Wycheproof's AEAD tests have.

The values are our own, computed by `aes_gcm.py` and not by the library under test; the four known answers were published with
GCM itself. `python -m tests.support.aes_gcm_vectors` writes the file anew.

Source: D. McGrew, J. Viega, "The Galois/Counter Mode of Operation", appendix B, cases 13 to 16; Wycheproof `aead_test_schema_v1`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .aes_gcm import encrypt, key_stream

FILE = Path(__file__).parents[1] / "fixtures" / "aead" / "aes_gcm.json"

_KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308") * 2
_NONCE = bytes.fromhex("cafebabefacedbaddecaf888")
_AAD = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
_TEXT = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
_TEXT_SEALED = bytes.fromhex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
)
_KNOWN = (  # key, nonce, plaintext, aad, ciphertext, tag
    (bytes(32), bytes(12), b"", b"", b"", "530f8afbc74536b9a963b4f1c4cb738b"),
    (bytes(32), bytes(12), bytes(16), b"", bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18"), "d0d1c8a799996bf0265b98b5d48ab919"),
    (_KEY, _NONCE, _TEXT, b"", _TEXT_SEALED, "b094dac5d93471bdec1a502270e3cc6c"),
    (_KEY, _NONCE, _TEXT[:60], _AAD, _TEXT_SEALED[:60], "76fc6ece0f4e1768cddf8853bb2d551b"),
)  # fmt: skip
_SIZES = (0, 1, 2, 7, 8, 12, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 256, 257)
_AAD_SIZES = (0, 1, 8, 15, 16, 17, 31, 32, 65, 129)
_BITS = (0, 1, 7, 8, 31, 32, 33, 63, 64, 65, 71, 80, 95, 96, 97, 103, 120, 121, 126, 127)
_NOTES = {
    "KnownAnswer": "Published with GCM.",
    "Sizes": "Texts and associated data around the borders of blocks.",
    "SpecialCase": "Keys, nonces, texts and ciphertexts of all zeros or all ones.",
    "ModifiedTag": "A tag that is not the right one, near to it or far from it.",
    "TruncatedTag": "The beginning of the right tag: shorter tags are easier to guess (SP 800-38D appendix C).",
    "ModifiedInput": "Something else than the tag was changed.",
}


@dataclass
class _Cases:
    """Numbers the cases as they come."""

    tests: list[dict[str, Any]] = field(default_factory=list)

    def add(self, flag: str, comment: str, result: str, **parts: bytes) -> None:
        self.tests.append(
            {
                "tcId": len(self.tests) + 1,
                "comment": comment,
                "flags": [flag],
                **{name: parts[name].hex() for name in ("key", "iv", "aad", "msg", "ct", "tag")},
                "result": result,
            }
        )

    def add_valid(self, flag: str, comment: str, key: bytes, nonce: bytes, text: bytes, aad: bytes) -> None:
        ciphertext, tag = encrypt(key, nonce, text, aad)
        self.add(flag, comment, "valid", key=key, iv=nonce, aad=aad, msg=text, ct=ciphertext, tag=tag)


def _drawn(name: str, size_bytes: int) -> bytes:
    """Return bytes without a pattern, the same in every run."""
    return hashlib.shake_256(f"driftwise aes-gcm {name}".encode()).digest(size_bytes)


def _add_sizes(cases: _Cases) -> None:
    for size in _SIZES:
        for aad_size in (0, 13) if size % 16 else (0, 20):
            key, nonce = _drawn(f"key {size} {aad_size}", 32), _drawn(f"nonce {size} {aad_size}", 12)
            text, aad = _drawn(f"text {size}", size), _drawn(f"aad {size}", aad_size)
            cases.add_valid("Sizes", f"{size} bytes, {aad_size} associated", key, nonce, text, aad)
    for aad_size in _AAD_SIZES:
        text, aad = _drawn("aad text", 20), _drawn(f"aad of {aad_size}", aad_size)
        comment = f"20 bytes, {aad_size} associated"
        cases.add_valid("Sizes", comment, _drawn("aad key", 32), _drawn(f"aad nonce {aad_size}", 12), text, aad)


def _add_special(cases: _Cases) -> None:
    for byte in (0x00, 0xFF):
        for name, key, nonce in (
            ("key", bytes([byte]) * 32, _drawn("special nonce", 12)),
            ("nonce", _drawn("special key", 32), bytes([byte]) * 12),
            ("key and nonce", bytes([byte]) * 32, bytes([byte]) * 12),
        ):
            comment = f"{name} of {byte:#04x}"
            cases.add_valid("SpecialCase", comment, key, nonce, _drawn("special", 48), b"aad")
        key, nonce = _drawn(f"stream key {byte}", 32), _drawn(f"stream nonce {byte}", 12)
        text = bytes(one ^ byte for one in key_stream(key, nonce, 64))
        cases.add_valid("SpecialCase", f"ciphertext of {byte:#04x}", key, nonce, text, b"")
        cases.add_valid("SpecialCase", f"text of {byte:#04x}", key, nonce, bytes([byte]) * 64, bytes([byte]) * 32)


def _wrong_tags(tag: bytes) -> Iterator[tuple[str, bytes]]:
    number = int.from_bytes(tag, "big")
    for bit in _BITS:
        yield f"bit {bit} of the tag flipped", (number ^ 1 << 8 * (15 - bit // 8) << bit % 8).to_bytes(16, "big")
    yield "every bit flipped", bytes(byte ^ 0xFF for byte in tag)
    yield "every byte's first bit flipped", bytes(byte ^ 0x80 for byte in tag)
    yield "every byte's last bit flipped", bytes(byte ^ 0x01 for byte in tag)
    yield "the first half flipped", bytes(byte ^ 0xFF for byte in tag[:8]) + tag[8:]
    yield "the second half flipped", tag[:8] + bytes(byte ^ 0xFF for byte in tag[8:])
    yield "a tag of zeros", bytes(16)
    yield "a tag of ones", b"\xff" * 16
    yield "the tag backwards", tag[::-1]
    yield "the halves swapped", tag[8:] + tag[:8]


def _add_invalid(cases: _Cases) -> None:
    key, nonce = _drawn("wrong key", 32), _drawn("wrong nonce", 12)
    for name, aad in (("without", b""), ("with", _drawn("wrong aad", 21))):
        text = _drawn("wrong text", 35)
        ciphertext, tag = encrypt(key, nonce, text, aad)
        right = {"key": key, "iv": nonce, "aad": aad, "msg": text, "ct": ciphertext, "tag": tag}
        cases.add("ModifiedTag", f"{name} associated data: nothing changed yet", "valid", **right)
        for comment, wrong in _wrong_tags(tag):
            cases.add("ModifiedTag", f"{name} associated data: {comment}", "invalid", **right | {"tag": wrong})
        for size in range(4, 16):
            cut = right | {"tag": tag[:size]}
            cases.add("TruncatedTag", f"{name} associated data: {size} bytes of the tag", "invalid", **cut)
        for part in ("iv", "ct"):
            changed = right | {part: bytes([right[part][0] ^ 1]) + right[part][1:]}
            cases.add("ModifiedInput", f"{name} associated data: {part} changed", "invalid", **changed)
        for comment, changed_aad in (("more", aad + b"\0"), ("other", b"other" + aad), ("less", aad[:-1] or b"x")):
            cases.add("ModifiedInput", f"{name}: {comment} associated data", "invalid", **right | {"aad": changed_aad})


def document() -> dict[str, Any]:
    """Return the whole file."""
    cases = _Cases()
    for number, (key, nonce, text, aad, ciphertext, tag) in enumerate(_KNOWN, 13):
        known = {"key": key, "iv": nonce, "aad": aad, "msg": text, "ct": ciphertext, "tag": bytes.fromhex(tag)}
        cases.add("KnownAnswer", f"McGrew and Viega, case {number}", "valid", **known)
    _add_sizes(cases)
    _add_special(cases)
    _add_invalid(cases)
    group = {"ivSize": 96, "keySize": 256, "tagSize": 128, "type": "AeadTest", "tests": cases.tests}
    return {
        "algorithm": "AES-GCM",
        "schema": "aead_test_schema_v1.json",
        "numberOfTests": len(cases.tests),
        "notes": {name: {"description": text} for name, text in _NOTES.items()},
        "testGroups": [group],
    }


def rendered() -> str:
    """Return the file's text, one case per line."""
    found = document()
    cases = found["testGroups"][0].pop("tests")
    head = json.dumps({**found, "testGroups": []}, indent=1).removesuffix("[]\n}")
    group = json.dumps(found["testGroups"][0]).removesuffix("}")
    lines = ",\n".join(json.dumps(case) for case in cases)
    return f'{head}[\n{group}, "tests": [\n{lines}\n]}}\n]\n}}\n'


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="utf-8")
    print(f"{FILE.relative_to(FILE.parents[3])}: {document()['numberOfTests']} cases")
