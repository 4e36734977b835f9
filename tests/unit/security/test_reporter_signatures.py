"""Reports of leaked keys: only GitHub's own signature over the very bytes is believed."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.ports.errors import ServiceAway
from shared.security.boot import UnsafeStart, guard
from shared.security.errors import SignatureRefused
from shared.security.reporter_signatures import ReporterKeys, check_report, read_reporter_keys
from shared.settings import Settings
from shared.testing.clock import FakeClock

VENDOR: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "github" / "secret_scanning_report.json").read_text("utf-8")
)
PUBLISHED = json.dumps(VENDOR["published"]).encode()
OWN = ec.generate_private_key(ec.SECP256R1())


def keys_of(document: bytes = PUBLISHED) -> ReporterKeys:
    return ReporterKeys("", FakeClock(), fetch=lambda _: document, read=read_reporter_keys)


def pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def listed(*keys: Any, kid: str = "own") -> bytes:
    return json.dumps({"public_keys": [{"key_identifier": kid, "key": pem(key)} for key in keys]}).encode()


def signed(content: bytes, key: ec.EllipticCurvePrivateKey = OWN, kid: str = "own") -> dict[str, str]:
    signature = base64.b64encode(key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()
    return {"github-public-key-identifier": kid, "github-public-key-signature": signature}


@pytest.mark.parametrize("sample", VENDOR["samples"], ids=["2024", "2022"])
def test_githubs_own_samples_are_accepted(sample: dict[str, Any]) -> None:
    check_report(sample["headers"], sample["body"].encode(), keys_of())


@pytest.mark.parametrize("change", [b" ", b"\n", b"]"])
@pytest.mark.parametrize("sample", VENDOR["samples"], ids=["2024", "2022"])
def test_a_changed_body_is_refused(sample: dict[str, Any], change: bytes) -> None:
    with pytest.raises(SignatureRefused):
        check_report(sample["headers"], sample["body"].encode() + change, keys_of())


def test_a_signature_by_another_published_key_is_refused() -> None:
    first, second = VENDOR["samples"]
    headers = first["headers"] | {"github-public-key-identifier": second["headers"]["github-public-key-identifier"]}
    with pytest.raises(SignatureRefused):
        check_report(headers, first["body"].encode(), keys_of())


@pytest.mark.parametrize(
    "change",
    [
        {"github-public-key-identifier": ""},
        {"github-public-key-identifier": "unknown"},
        {"github-public-key-identifier": "own\n"},
        {"github-public-key-identifier": "own" * 100},
        {"github-public-key-signature": ""},
        {"github-public-key-signature": "!"},
        {"github-public-key-signature": "AAAA"},
        {"github-public-key-signature": "MAYCAQACAQA="},  # r = s = 0
        {"github-public-key-signature": "é"},
        {"github-public-key-signature": "A" * 100_000},
    ],
    ids=lambda change: str(change)[:60],
)
def test_a_missing_or_broken_signature_is_refused(change: dict[str, str]) -> None:
    content = b"[]"
    headers = signed(content)
    check_report(headers, content, keys_of(listed(OWN)))
    with pytest.raises(SignatureRefused):
        check_report(headers | change, content, keys_of(listed(OWN)))


def test_a_signature_with_its_length_padded_is_refused() -> None:
    headers = signed(b"[]")
    raw = base64.b64decode(headers["github-public-key-signature"])
    with pytest.raises(SignatureRefused):
        check_report(
            headers | {"github-public-key-signature": base64.b64encode(raw + b"\0").decode()},
            b"[]",
            keys_of(listed(OWN)),
        )


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_keys_of_another_kind_are_not_used(key: Any) -> None:
    assert read_reporter_keys(listed(key)) == {}


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"{}", b'{"public_keys": 1}', b'{"public_keys": {}}', b"\xff", b"<html>"],
)
def test_what_is_no_key_set_is_a_503_and_not_a_refusal(document: bytes) -> None:
    with pytest.raises(ServiceAway):
        check_report(signed(b"[]"), b"[]", keys_of(document))


@pytest.mark.parametrize(
    "item", [1, None, {}, {"key_identifier": "x"}, {"key_identifier": 1, "key": pem(OWN)}, {"key_identifier": "x", "key": "no PEM"}]
)  # fmt: skip
def test_one_key_that_cannot_be_read_takes_no_other_along(item: Any) -> None:
    document = {"public_keys": [item, {"key_identifier": "own", "key": pem(OWN)}]}
    assert list(read_reporter_keys(json.dumps(document).encode())) == ["own"]


def test_unknown_key_ids_do_not_use_up_what_the_reporter_allows() -> None:
    """GitHub lets strangers ask 60 times an hour; anyone can send key ids that nobody published."""
    fetches: list[str] = []
    clock = FakeClock()
    keys = ReporterKeys("", clock, fetch=lambda url: fetches.append(url) or listed(OWN), read=read_reporter_keys)
    for number in range(3600):
        with pytest.raises(SignatureRefused):
            check_report(signed(b"[]", kid=f"unknown-{number}"), b"[]", keys)
        clock.advance(1)
    assert len(fetches) <= 13


def test_in_production_the_keys_come_over_https_only() -> None:
    safe = Settings(public_url="https://x.example", redis_url="rediss://x")
    guard(safe)
    guard(replace(safe, secret_scanning_keys_url=""))
    with pytest.raises(UnsafeStart, match="DW_SECRET_SCANNING_KEYS_URL"):
        guard(replace(safe, secret_scanning_keys_url="http://api.github.com/keys"))
