"""A token key is rotated while several instances issue and verify: no token is refused.

Twice. First with the real delays, on clocks that stand still until the test moves them, with instances whose clocks lie
apart and a cache in between that hands out key sets as old as it may. Then with real processes and a real KMS protocol,
where only the waiting is shorter.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import httpx
import jwt
import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud import kms_v1

from shared.ports.clock import Clock
from shared.security.errors import Unauthenticated
from shared.security.signing_keys import JWKS_MAX_AGE_SECONDS, LEAST_ACTIVATION_SECONDS
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import LEEWAY_SECONDS, JwksCache, TokenRule, verify_token
from shared.testing.clock import FakeClock
from shared.testing.key_manager import MemoryKeyManager
from tests.support.function_process import FunctionProcess, function_process
from tests.support.google_emulator import Emulator
from tests.support.waiting import wait_until

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
RULE = TokenRule(ISSUER, AUDIENCE, frozenset({"at+jwt"}))
LIFETIME = timedelta(minutes=10)
RUNBOOK_WAIT_SECONDS = (
    15 * 60
)  # infra/runbooks/token-signing-key.md: from the new version's first token to disabling the old one


def kid(text: str) -> str:
    return str(jwt.get_unverified_header(text)["kid"])


# --- real delays, held clocks -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Apart:
    """A clock that is ahead of another, or behind it."""

    base: FakeClock
    seconds: int

    def now(self) -> datetime:
        return self.base.now() + timedelta(seconds=self.seconds)

    def monotonic_seconds(self) -> float:
        return self.base.monotonic_seconds()

    def sleep_seconds(self, seconds: float) -> None:
        self.base.sleep_seconds(seconds)


@dataclass
class Between:
    """A shared HTTP cache: asks any instance, and keeps the answer as long as it may."""

    clock: Clock
    issuers: list[TokenIssuer]
    chance: random.Random
    kept: bytes = b""
    until: float = -1.0

    def fetch(self, _url: str) -> bytes:
        now = self.clock.monotonic_seconds()
        if now >= self.until:
            self.kept = json.dumps(self.chance.choice(self.issuers).jwks()).encode()
            self.until = now + JWKS_MAX_AGE_SECONDS
        return self.kept


@dataclass
class Fleet:
    """Three issuers and four verifiers, one of which is asked rarely; clocks up to half a minute off the vault's."""

    seed: int
    activation_seconds: int
    clock: FakeClock = field(default_factory=FakeClock)
    refused: list[str] = field(default_factory=list)
    accepted: dict[str, int] = field(default_factory=dict)
    tokens: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.vault = MemoryKeyManager(self.clock)
        self.vault.add_signing_key("k")
        self.issuers = [
            TokenIssuer(self.vault, "k", ISSUER, self.skewed(), activation_seconds=self.activation_seconds)
            for _ in range(3)
        ]
        caches = [Between(self.clock, self.issuers, self.chance) for _ in range(2)]
        self.verifiers = [(JwksCache("", self.clock, fetch=caches[n % 2].fetch), self.skewed()) for n in range(4)]

    def skewed(self) -> Apart:
        return Apart(self.clock, self.chance.randint(-LEEWAY_SECONDS, LEEWAY_SECONDS) // 2)

    def run(self, seconds: float) -> None:
        """Issue and verify for a while: new tokens, and such as still have a few seconds to live."""
        ends_at = self.clock.monotonic_seconds() + seconds
        while self.clock.monotonic_seconds() < ends_at:
            self.clock.advance(self.chance.uniform(1, 12))
            now = self.clock.monotonic_seconds()
            self.tokens = [item for item in self.tokens if item[0] > now]
            for issuer in self.issuers:
                text = issuer.issue({"sub": "person"}, audience=AUDIENCE, kind="at+jwt", lifetime=LIFETIME)
                self.tokens.append((now + LIFETIME.total_seconds(), text))
            asked = self.verifiers if self.chance.random() < 0.05 else self.verifiers[:3]
            for keys, clock in asked:
                for _, text in (self.tokens[0], self.tokens[-1], self.chance.choice(self.tokens)):
                    self.verify(text, keys, clock)

    def verify(self, text: str, keys: JwksCache, clock: Clock) -> None:
        try:
            verify_token(text, RULE, keys, clock)
        except Unauthenticated:
            self.refused.append(kid(text))
        else:
            self.accepted[kid(text)] = self.accepted.get(kid(text), 0) + 1

    def rotate(self) -> None:
        """Do what the runbook says."""
        self.run(700)
        self.vault.add_signing_key("k")
        self.run(self.activation_seconds + RUNBOOK_WAIT_SECONDS)
        self.vault.disable_version("k", "1")
        self.run(700)


@pytest.mark.parametrize("seed", range(5))
def test_no_token_is_refused_while_the_key_is_rotated(seed: int) -> None:
    fleet = Fleet(seed, LEAST_ACTIVATION_SECONDS)
    fleet.rotate()
    assert fleet.refused == []
    assert fleet.accepted.keys() == {"k-1", "k-2"}, "the rotation did not take place"


def test_without_the_delay_the_same_load_is_refused() -> None:
    """So that the test above is known to look at the right thing."""
    fleet = Fleet(0, activation_seconds=1)
    fleet.rotate()
    assert "k-2" in fleet.refused


def test_instances_whose_clocks_lie_apart_switch_apart_and_nobody_notices() -> None:
    fleet = Fleet(1, LEAST_ACTIVATION_SECONDS)
    fleet.run(1)
    fleet.vault.add_signing_key("k")
    moments: set[frozenset[str]] = set()
    while frozenset({"k-2"}) not in moments:
        assert fleet.clock.monotonic_seconds() < 2 * LEAST_ACTIVATION_SECONDS, "they never all switched"
        fleet.run(1)
        moments.add(frozenset(kid(text) for _, text in fleet.tokens[-3:]))
    assert frozenset({"k-1", "k-2"}) in moments, "no moment in which the instances disagreed"
    assert fleet.refused == []


# --- real processes ---------------------------------------------------------------------------------------------------

PROJECT, REGION = "driftwise-local", "europe-west1"
RING = f"projects/{PROJECT}/locations/{REGION}/keyRings/driftwise"
KEY = f"{RING}/cryptoKeys/token-signing"
ACTIVATION_SECONDS = 6
# What waits for minutes in earnest waits for seconds here, in the same proportions.
SOURCE = f"""
import json, os
import flask
from datetime import timedelta
from shared.ports.clock import SystemClock
from shared.ports.key_manager import GoogleKeyManager
from shared.security.errors import Unauthenticated
from shared.security.token_issuer import TokenIssuer
from shared.security.tokens import JwksCache, TokenRule, verify_token
from shared.settings import load_settings

TokenIssuer._listing_seconds = 0.5
JwksCache._fresh_seconds, JwksCache._cooldown_seconds = 2.0, 0.1
settings, clock = load_settings(), SystemClock()
issuer = TokenIssuer(
    GoogleKeyManager(settings), "token-signing", {ISSUER!r}, clock, activation_seconds=settings.token_activation_seconds
)
rule = TokenRule({ISSUER!r}, {AUDIENCE!r}, frozenset({{"at+jwt"}}))
keys = JwksCache(settings.jwks_url, clock) if settings.jwks_url else None

def tiny(request: flask.Request):
    if request.path == "/issue":
        return issuer.issue(
            {{"sub": "person"}}, audience={AUDIENCE!r}, kind="at+jwt", lifetime=timedelta(seconds=3)
        )
    if request.path == "/verify":
        try:
            return str(verify_token(request.get_data(as_text=True), rule, keys, clock)["sub"])
        except Unauthenticated:
            return "refused", 401
    return json.dumps(issuer.jwks()) if request.path == "/jwks" else "ok"
"""


class Vault:
    """The operator's side of the emulated KMS."""

    def __init__(self, google: Emulator) -> None:
        self._client = google.kms()
        with suppress(AlreadyExists):
            self._client.create_key_ring(
                parent=RING.rsplit("/", 2)[0], key_ring_id="driftwise", key_ring=kms_v1.KeyRing()
            )
        template = {"algorithm": kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256}
        made = kms_v1.CryptoKey(purpose=kms_v1.CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN, version_template=template)
        self._client.create_crypto_key(parent=RING, crypto_key_id="token-signing", crypto_key=made)

    def add_version(self) -> None:
        self._client.create_crypto_key_version(parent=KEY, crypto_key_version=kms_v1.CryptoKeyVersion())

    def disable(self, number: int) -> None:
        state = kms_v1.CryptoKeyVersion.CryptoKeyVersionState.DISABLED
        changed = kms_v1.CryptoKeyVersion(name=f"{KEY}/cryptoKeyVersions/{number}", state=state)
        self._client.update_crypto_key_version(crypto_key_version=changed, update_mask={"paths": ["state"]})


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Emulator]:
    folder = tmp_path / "google"
    folder.mkdir()
    running = Emulator(folder)
    yield running
    assert running.stop() == 0


@pytest.fixture
def instances(google: Emulator, tmp_path: Path) -> Iterator[tuple[Vault, list[FunctionProcess], list[FunctionProcess]]]:
    """Two processes that issue and two that verify, each with the keys that another issuer publishes."""
    vault = Vault(google)
    variables = {
        "DW_KMS_ENDPOINT": google.endpoint, "DW_PROJECT": PROJECT, "DW_REGION": REGION,
        "DW_TOKEN_ACTIVATION_SECONDS": str(ACTIVATION_SECONDS), "THREADS": "4",
    }  # fmt: skip
    with ExitStack() as stack:

        def start(name: str, **more: str) -> FunctionProcess:
            folder = tmp_path / name
            folder.mkdir()
            return stack.enter_context(function_process(folder, SOURCE, **variables, **more))

        issuers = [start(f"issuer-{number}") for number in range(2)]
        verifiers = [start(f"verifier-{n}", DW_JWKS_URL=f"{issuer.url}/jwks") for n, issuer in enumerate(issuers)]
        yield vault, issuers, verifiers


@dataclass
class Load:
    """What goes on all the time: issue anywhere, verify everywhere, keep for a while and verify again."""

    issuers: list[FunctionProcess]
    verifiers: list[FunctionProcess]
    stop: Event = field(default_factory=Event)
    failures: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)

    def run(self, issuer: FunctionProcess) -> None:
        with httpx.Client(trust_env=False, timeout=20) as client:
            while not self.stop.is_set():
                issued = client.get(f"{issuer.url}/issue")
                if issued.status_code != 200:
                    self.failures.append(f"issue: {issued.status_code}")
                    continue
                for _ in range(2):
                    for verifier in self.verifiers:
                        answer = client.post(f"{verifier.url}/verify", content=issued.text)
                        if answer.status_code != 200:
                            self.failures.append(f"verify {kid(issued.text)}: {answer.status_code}")
                    self.stop.wait(0.1)
                self.seen[kid(issued.text)] = self.seen.get(kid(issued.text), 0) + 1


def test_processes_that_issue_and_verify_refuse_nothing_while_the_key_is_rotated(
    instances: tuple[Vault, list[FunctionProcess], list[FunctionProcess]],
) -> None:
    vault, issuers, verifiers = instances
    load = Load(issuers, verifiers)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(load.run, issuer) for issuer in issuers for _ in range(2)]
        try:
            wait_until(lambda: load.seen.get("token-signing-1", 0) > 10, "the first version signs")
            vault.add_version()
            wait_until(lambda: load.seen.get("token-signing-2", 0) > 10, "the new version signs", timeout_seconds=60)
            ended = load.seen["token-signing-1"]
            load.stop.wait(4)  # longer than a token lives
            vault.disable(1)
            before = load.seen["token-signing-2"]
            wait_until(lambda: load.seen["token-signing-2"] > before + 20, "the new version goes on alone")
        finally:
            load.stop.set()
        for item in running:
            item.result()
    assert load.failures == []
    assert load.seen["token-signing-1"] <= ended + 2, "the old version signed on beside the new one"
