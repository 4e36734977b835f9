"""Our side of OpenID Connect: which ID tokens we take, and what happens while the provider is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from functions.auth.domain.sign_in import Person
from functions.auth.errors import ProviderAway, SignInFailed
from functions.auth.oidc import Provider, ProviderRules
from shared.security.tokens import JwksCache
from shared.testing.clock import FakeClock

ISSUER, CLIENT = "https://id.example", "driftwise"
CLOCK = FakeClock()
NOW = int(CLOCK.now().timestamp())
KEY = rsa.generate_private_key(65537, 2048)
JWK = {**RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k", "use": "sig", "key_ops": ["verify"]}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "aud": CLIENT, "azp": CLIENT, "sub": "s", "iat": NOW, "exp": NOW + 60, "auth_time": NOW - 5,
    "nonce": "n", "email": "p@example.test", "email_verified": True, "name": "P",
}  # fmt: skip


def make_provider(issuer: str, clock: FakeClock, verified_claim: str = "email_verified") -> Provider:
    return Provider(ProviderRules(issuer, CLIENT, verified_claim), clock)


def read(
    header: dict[str, Any] | None = None, without: str = "", verified_claim: str = "email_verified", **claims: Any
) -> Person:
    provider = make_provider(ISSUER, CLOCK, verified_claim)
    provider._keys = JwksCache("", CLOCK, fetch=lambda _: json.dumps({"keys": [JWK]}).encode())
    body = {name: value for name, value in (CLAIMS | claims).items() if name != without}
    text = jwt.encode(body, KEY, "RS256", {"kid": "k"} | (header or {}))
    return provider._person(provider._verify_id_token(text, "n"))


def test_a_person_is_read_from_a_good_token() -> None:
    assert read() == Person(ISSUER, "s", "p@example.test", True, "P", NOW - 5)
    assert read(sid="s1").issuer_session == "s1"
    assert read(without="azp").subject == "s"
    assert read(aud=[CLIENT]).subject == "s", "OpenID Connect Core 3.1.3.7 lets the audience be a list"
    assert read(without="auth_time").signed_in_at == NOW
    assert read(without="name").name == ""
    assert len(read(name="x" * 10_000).name) == 200


REFUSED: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "other"},
    "no nonce": {"without": "nonce"},
    "made for another client": {"azp": "other"},
    "azp null": {"azp": None},
    "another audience": {"aud": "other"},
    "an audience beside ours": {"aud": [CLIENT, "other"]},
    "another issuer": {"iss": "https://evil.example"},
    "no iat": {"without": "iat"},
    "no sub": {"without": "sub"},
    "expired": {"exp": NOW - 60},
    "an access token": {"header": {"typ": "at+jwt"}},
    "a logout token": {"header": {"typ": "logout+jwt"}},
    "an unknown key": {"header": {"kid": "other"}},
    "a sign-in in the future": {"auth_time": NOW + 3600},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_a_token_that_does_not_fit_fails_the_sign_in(change: dict[str, Any]) -> None:
    with pytest.raises(SignInFailed) as caught:
        read(**change)
    assert caught.value.facts == {}, "the reason is told"


@pytest.mark.parametrize(
    "change",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"without": "email_verified"},
        {"email_verified": 1},
        {"verified_claim": "xms_edov"},
        {"verified_claim": "xms_edov", "xms_edov": "0"},
        {"verified_claim": "xms_edov", "xms_edov": False},
    ],
)
def test_an_address_that_the_provider_does_not_vouch_for_is_not_verified(change: dict[str, Any]) -> None:
    assert not read(**change).is_email_verified


@pytest.mark.parametrize("value", [True, 1, "1", "true"])
def test_entra_id_vouches_by_a_claim_of_its_own(value: object) -> None:
    assert read(verified_claim="xms_edov", without="email_verified", xms_edov=value).is_email_verified


@pytest.mark.parametrize(
    "email", [["a"], "", "a", "a@", "@b", "a@b@c", "a b@example.test", "a@exa mple", "x" * 65 + "@a.b"]
)
def test_what_is_no_address_is_left_out(email: object) -> None:
    assert not read(email=email).email


class Site:
    """A provider's discovery document, which a test changes or takes away."""

    def __init__(self) -> None:
        self.status = 200
        self.changes: dict[str, Any] = {}
        self.reads = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.reads += 1
                self.send_response(site.status)
                self.end_headers()
                self.wfile.write(json.dumps(site.document()).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def document(self) -> dict[str, Any]:
        ends = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        return {"issuer": self.issuer, **ends, **self.changes}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


def begin(provider: Provider) -> str:
    return provider.authorization_url(redirect_uri="https://us/auth/callback", state="s", nonce="n", code_verifier="v")


@pytest.mark.parametrize(
    "changes",
    [{"issuer": "https://evil.example"}, {"jwks_uri": ""}, {"token_endpoint": None}, {"authorization_endpoint": ""}],
)
def test_metadata_that_does_not_fit_its_issuer_is_not_used(site: Site, changes: dict[str, Any]) -> None:
    site.changes = changes
    with pytest.raises(ProviderAway):
        begin(make_provider(site.issuer, FakeClock()))


def test_the_provider_may_be_away_for_a_while_once_it_is_known(site: Site) -> None:
    clock = FakeClock()
    provider = make_provider(site.issuer, clock)
    assert begin(provider).startswith(f"{site.issuer}/authorization_endpoint?")
    site.status = 500
    clock.advance(3601)
    for _ in range(5):
        assert begin(provider)
    assert site.reads == 2, "a provider that is away is asked again with every sign-in"
    site.status, site.changes = 200, {"authorization_endpoint": f"{site.issuer}/moved?tenant=1"}
    clock.advance(31)
    assert begin(provider).startswith(f"{site.issuer}/moved?tenant=1&response_type=code")


def test_a_provider_that_never_answered_is_a_503(site: Site) -> None:
    site.status = 503
    with pytest.raises(ProviderAway) as caught:
        begin(make_provider(site.issuer, FakeClock()))
    assert caught.value.retry_after_seconds
