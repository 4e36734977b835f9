"""Our side of OpenID Connect: which ID tokens we take, and what happens while the provider is away."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import jwt
import pytest

from functions.auth import oidc
from functions.auth.domain.sign_in import Person
from functions.auth.errors import ProviderAway, SignInFailed
from functions.auth.oidc import Provider, ProviderRules
from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse
from shared.security.tokens import JwksCache
from shared.testing.clock import FakeClock
from tests.support.openid_site import JWK, KEY, Site

ISSUER, CLIENT = "https://id.example", "driftwise"
CLOCK = FakeClock()
NOW = int(CLOCK.now().timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "aud": CLIENT, "azp": CLIENT, "sub": "s", "iat": NOW, "exp": NOW + 60, "auth_time": NOW - 5,
    "nonce": "n", "email": "p@example.test", "email_verified": True, "name": "P",
}  # fmt: skip


def make_provider(
    issuer: str, clock: FakeClock, verified_claim: str = "email_verified", domain_claim: str = ""
) -> Provider:
    return Provider(ProviderRules(issuer, CLIENT, verified_claim, domain_claim), clock)


def read(
    header: dict[str, Any] | None = None,
    without: str = "",
    verified_claim: str = "email_verified",
    domain_claim: str = "",
    **claims: Any,
) -> Person:
    provider = make_provider(ISSUER, CLOCK, verified_claim, domain_claim)
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
        {"domain_claim": "hd"},
        {"domain_claim": "hd", "hd": "other.test"},
        {"domain_claim": "hd", "hd": "sub.example.test"},
        {"domain_claim": "hd", "hd": ""},
        {"domain_claim": "hd", "hd": ["example.test"]},
        {"domain_claim": "hd", "hd": "example.test", "email_verified": False},
        {"domain_claim": "hd", "without": "email", "hd": ""},
    ],
)
def test_an_address_that_the_provider_does_not_vouch_for_is_not_verified(change: dict[str, Any]) -> None:
    assert not read(**change).is_email_verified


def test_google_vouches_where_it_manages_the_domain() -> None:
    assert read(domain_claim="hd", hd="example.test").is_email_verified
    assert read(domain_claim="hd", hd="Example.TEST", email="p@example.TEST").is_email_verified


@pytest.mark.parametrize("value", [True, 1, "1", "true"])
def test_entra_id_vouches_by_a_claim_of_its_own(value: object) -> None:
    assert read(verified_claim="xms_edov", without="email_verified", xms_edov=value).is_email_verified


@pytest.mark.parametrize(
    "email", [["a"], "", "a", "a@", "@b", "a@b@c", "a b@example.test", "a@exa mple", "x" * 65 + "@a.b"]
)
def test_what_is_no_address_is_left_out(email: object) -> None:
    assert not read(email=email).email


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


def begin(provider: Provider) -> str:
    return provider.authorization_url(redirect_uri="https://us/auth/callback", state="s", nonce="n", code_verifier="v")


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": ""},
        {"token_endpoint": None},
        {"authorization_endpoint": ""},
        {"token_endpoint": ["https://id.example/token"]},
        {"token_endpoint": "/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://id.example/authorize#"},
        {"token_endpoint": "https://user:pass@id.example/token"},
        {"userinfo_endpoint": "gopher://id.example"},
        {"end_session_endpoint": "javascript:alert(1)"},
    ],
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


ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_issuer_with_tls_leads_nowhere_without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    document = {"issuer": ISSUER, **{end: f"{ISSUER}/{end}" for end in ENDPOINTS}}
    monkeypatch.setattr(oidc, "call", lambda *_, **__: EgressResponse(200, {}, json.dumps(document).encode()))
    assert begin(make_provider(ISSUER, FakeClock()))
    document[name] = document[name].replace("https://", "http://")
    with pytest.raises(ProviderAway):
        begin(make_provider(ISSUER, FakeClock()))


@pytest.mark.parametrize(
    "page", [b"<html>", b"[]", b"{", b"[" * 100_000, b" " * 300_000, b"\xff"], ids=lambda page: repr(page)[:9]
)
def test_metadata_that_cannot_be_read_are_an_away_provider(site: Site, page: bytes) -> None:
    site.pages["/.well-known/openid-configuration"] = (200, page)
    with pytest.raises(ProviderAway):
        begin(make_provider(site.issuer, FakeClock()))


def test_many_people_at_once_ask_for_metadata_once_also_while_nobody_answers(site: Site) -> None:
    clock = FakeClock()
    provider = make_provider(site.issuer, clock)
    is_asked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        is_asked.set()
        assert go_on.wait(10)

    site.before_reply, site.status = hold, 503

    def outcome(_: int) -> bool:
        try:
            return bool(begin(provider))
        except ProviderAway:
            return False

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(outcome, 0)
        assert is_asked.wait(10)
        others = [pool.submit(outcome, number) for number in range(1, 8)]
        go_on.set()
        assert not any(answer.result() for answer in (first, *others))
    assert site.reads == 1, "who waited asked again, one after the other"
    site.status = 200
    clock.advance(1)
    assert begin(provider), "it did not recover within a second"


def test_who_knows_the_provider_does_not_wait_for_it(site: Site) -> None:
    clock = FakeClock()
    provider = make_provider(site.issuer, clock)
    begin(provider)
    clock.advance(3601)
    is_asked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        is_asked.set()
        assert go_on.wait(10)

    site.before_reply = hold
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(begin, provider)
        assert is_asked.wait(10)
        assert begin(provider)
        go_on.set()
        assert asking.result()


def published(site: Site, **token_answer: Any) -> Provider:
    """Let the provider answer the token endpoint; returns our side of it."""
    told_elsewhere = {"iss", "email", "email_verified", "name"}
    site.redeem({name: value for name, value in CLAIMS.items() if name not in told_elsewhere}, **token_answer)
    return make_provider(site.issuer, CLOCK)


def finish(provider: Provider, secret: str = "a secret") -> Person:  # noqa: S107  # a dummy
    return provider.finish(
        code="c",
        iss=None,
        redirect_uri="https://us/auth/callback",
        nonce="n",
        code_verifier="v",
        secret=Secret(secret.encode()),
    )


def userinfo(site: Site, **changes: Any) -> None:
    told = {"sub": "s", "email": "p@example.test", "email_verified": True, "name": "P", **changes}
    site.changes["userinfo_endpoint"] = f"{site.issuer}/userinfo"
    site.pages["/userinfo"] = (
        200,
        json.dumps({name: value for name, value in told.items() if value is not None}).encode(),
    )


def test_a_strict_provider_tells_at_its_userinfo_endpoint_who_somebody_is(site: Site) -> None:
    provider = published(site)
    userinfo(site, auth_time=0, sid="other", groups=["admins"])
    assert finish(provider) == Person(site.issuer, "s", "p@example.test", True, "P", NOW - 5)
    assert site.seen["/userinfo"][0]["Authorization"] == "Bearer a.b-c"


def test_without_a_userinfo_endpoint_nothing_more_is_known(site: Site) -> None:
    assert finish(published(site)) == Person(site.issuer, "s", "", False, "", NOW - 5)


@pytest.mark.parametrize(
    "page",
    [b'{"sub":"other","email":"x@example.test"}', b'{"email":"x@example.test"}', b"[]", b"eyJ.a.b", b'{"sub":["s"]}'],
)
def test_an_answer_about_somebody_else_signs_nobody_in(site: Site, page: bytes) -> None:
    provider = published(site)
    userinfo(site)
    site.pages["/userinfo"] = (200, page)
    with pytest.raises(SignInFailed):
        finish(provider)


@pytest.mark.parametrize("status, error", [(401, SignInFailed), (302, SignInFailed), (500, ProviderAway)])
def test_a_userinfo_endpoint_that_refuses_signs_nobody_in(site: Site, status: int, error: type[Exception]) -> None:
    provider = published(site)
    userinfo(site)
    site.pages["/userinfo"] = (status, site.pages["/userinfo"][1])
    with pytest.raises(error):
        finish(provider)


@pytest.mark.parametrize("token", [None, "", 1, ["a"], "a b", "a\r\nX: y", "x" * 20_000])
def test_an_access_token_that_is_none_is_sent_nowhere(site: Site, token: object) -> None:
    provider = published(site, access_token=token)
    userinfo(site)
    with pytest.raises(SignInFailed):
        finish(provider)
    assert "/userinfo" not in site.seen


def test_the_client_proves_itself_in_the_way_that_the_provider_knows(site: Site) -> None:
    secret = "s:+%& \u00e9"
    finish(published(site), secret)
    headers, content = site.seen["/token_endpoint"]
    user, _, password = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
    assert (unquote_plus(user), unquote_plus(password)) == (CLIENT, secret), "RFC 6749 section 2.3.1"
    assert b"client_secret" not in content
    site.changes["token_endpoint_auth_methods_supported"] = ["private_key_jwt", "client_secret_post"]
    finish(published(site), secret)
    headers, content = site.seen["/token_endpoint"]
    form = parse_qs(content.decode())
    assert headers["Authorization"] is None
    assert (form["client_id"], form["client_secret"]) == ([CLIENT], [secret])
    assert form["grant_type"] == ["authorization_code"]


@pytest.mark.parametrize(
    "status, page, error",
    [
        (400, b'{"error":"invalid_grant"}', SignInFailed),
        (401, b'{"error":"invalid_client"}', SignInFailed),
        (400, b'{"error":"\\u0000<script>"}', SignInFailed),
        (200, b'{"error":"invalid_grant"}', SignInFailed),
        (200, b"{}", SignInFailed),
        (200, b"[]", SignInFailed),
        (200, b'{"id_token":1}', SignInFailed),
        (200, b'{"id_token":"x"}', SignInFailed),
        (200, b"<html>", SignInFailed),
        (302, b"", SignInFailed),
        (500, b"", ProviderAway),
        (200, b" " * 300_000, ProviderAway),
    ],
)
def test_a_code_that_is_not_redeemed_signs_nobody_in(
    site: Site, status: int, page: bytes, error: type[Exception]
) -> None:
    provider = published(site)
    site.pages["/token_endpoint"] = (status, page)
    with pytest.raises(error):
        finish(provider)


def test_a_provider_whose_keys_are_away_is_away(site: Site) -> None:
    provider = published(site)
    site.pages["/jwks_uri"] = (503, b"")
    with pytest.raises(ProviderAway):
        finish(provider)


@pytest.mark.parametrize(
    "iss, says_so, error", [("https://evil.example", False, SignInFailed), (None, True, SignInFailed)]
)
def test_an_answer_of_another_provider_is_refused(
    site: Site, iss: str | None, says_so: bool, error: type[Exception]
) -> None:
    """Mix-up, RFC 9207 section 2.4: a provider that says it names itself must do so."""
    site.changes["authorization_response_iss_parameter_supported"] = says_so
    provider = published(site)
    with pytest.raises(error):
        provider.finish(code="c", iss=iss, redirect_uri="", nonce="n", code_verifier="v", secret=Secret(b"s"))
    assert "/token_endpoint" not in site.seen, "the code went to the wrong provider"


def test_the_sign_out_page_is_the_providers_own_or_none(site: Site) -> None:
    provider = make_provider(site.issuer, FakeClock())
    assert provider.logout_url(post_logout_redirect_uri="https://us/") is None
    site.changes["end_session_endpoint"] = f"{site.issuer}/out?realm=1"
    url = make_provider(site.issuer, FakeClock()).logout_url(post_logout_redirect_uri="https://us/")
    assert url == f"{site.issuer}/out?realm=1&client_id={CLIENT}&post_logout_redirect_uri=https%3A%2F%2Fus%2F"
    site.status = 500
    assert make_provider(site.issuer, FakeClock()).logout_url(post_logout_redirect_uri="https://us/") is None
