"""The identity provider of the laptop: five people, one click to be one of them, and the checks a real provider makes.

Owns sign-in for one registered OpenID client, and by SAML (`saml_provider`) for the service providers behind the gateway;
served under `/idp` (the gateway passes the browser on). Written here instead of
on `oidc-provider-mock`, which ignores PKCE, derives the issuer from the Host header and makes a new key at every start,
so that a client which forgets one of these would work here and fail in production.
Run as `python -m local_emulator.identity_provider --port 0 --base-url URL --client-secret-file FILE --data-dir DIR`.
Source: OpenID Connect Core 1.0; RFC 6749; RFC 7636 (PKCE); RFC 9207 (iss).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus, urlencode

import flask
import jwt
from werkzeug.serving import make_server

from .identity_keys import IdentityKeys, load_keys
from .names import CLIENT_ID, IDENTITY_PROVIDER_PREFIX, SAML_PREFIX
from .once import Once
from .people import PEOPLE, Person, find_person, people_page
from .ports import HOST
from .saml_pages import add_saml_pages
from .saml_provider import SamlProvider, fetch_metadata

CODE_SECONDS = 60
TOKEN_SECONDS = 3600
_CHALLENGE_LENGTH = 43  # base64url of 32 bytes


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the client asked for, until the code is redeemed."""

    redirect_uri: str
    challenge: str
    nonce: str | None
    scopes: frozenset[str]
    person: Person
    signed_in_at: int


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider's settings and memory.

    Attributes:
        base_url: the issuer, without a trailing slash; the browser and the functions use the same.
        redirect_uris: the only addresses that get a code.
        fetch: reads the metadata of SAML service providers.
    """

    base_url: str
    client_secret: str
    redirect_uris: frozenset[str]
    keys: IdentityKeys
    people: tuple[Person, ...] = PEOPLE
    codes: Once[SignIn] = field(default_factory=Once[SignIn])
    tokens: Once[SignIn] = field(default_factory=Once[SignIn])
    fetch: Callable[[str], bytes] = fetch_metadata


class RefusedError(Exception):
    """A request that OAuth answers with an error code (RFC 6749, 4.1.2.1 and 5.2)."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status


def create_app(provider: Provider) -> flask.Flask:
    """Build the web application."""
    app = flask.Flask("identity_provider", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    pages = flask.Blueprint("idp", __name__, url_prefix=IDENTITY_PROVIDER_PREFIX)
    pages.get("/.well-known/openid-configuration", endpoint="discovery")(lambda: _discovery(provider))
    pages.get("/jwks", endpoint="jwks")(provider.keys.jwks)
    pages.get("/authorize", endpoint="ask")(lambda: _show_people(provider))
    pages.post("/authorize", endpoint="choose")(lambda: _choose_person(provider))
    pages.post("/token", endpoint="token")(lambda: _token(provider))
    pages.route("/userinfo", methods=["GET", "POST"], endpoint="userinfo")(lambda: _userinfo(provider))
    gateway_url = provider.base_url.removesuffix(IDENTITY_PROVIDER_PREFIX)
    saml = SamlProvider(provider.base_url, provider.keys, gateway_url + SAML_PREFIX, provider.fetch)
    add_saml_pages(pages, saml, provider.people)
    app.register_blueprint(pages)
    app.get("/_health", endpoint="health")(lambda: {"status": "ok"})
    app.errorhandler(RefusedError)(_render)
    app.after_request(_harden)
    return app


def _discovery(provider: Provider) -> dict[str, object]:
    base = provider.base_url
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "claims_supported": ["sub", "email", "email_verified", "name", "auth_time"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
    }


def _show_people(provider: Provider) -> flask.Response | str:
    """Ask who signs in; every time, so that a fresh sign-in is always fresh."""
    question = flask.request.args
    redirect_uri = _redirect_uri(provider)
    try:
        _read_question()
    except RefusedError as error:
        return _back(provider, redirect_uri, {"error": error.code, "error_description": error.description})
    if question.get("prompt") == "none":
        return _back(provider, redirect_uri, {"error": "login_required"})
    return people_page(provider.people, hint=question.get("login_hint", ""))


def _choose_person(provider: Provider) -> flask.Response:
    redirect_uri = _redirect_uri(provider)
    try:
        scopes, challenge = _read_question()
    except RefusedError as error:
        return _back(provider, redirect_uri, {"error": error.code, "error_description": error.description})
    person = find_person(provider.people, flask.request.form.get("email", ""))
    if person is None:
        return _back(provider, redirect_uri, {"error": "access_denied"})
    nonce = flask.request.args.get("nonce")
    sign_in = SignIn(redirect_uri, challenge, nonce, scopes, person, signed_in_at=int(time.time()))
    return _back(provider, redirect_uri, {"code": provider.codes.put(sign_in, CODE_SECONDS)})


def _redirect_uri(provider: Provider) -> str:
    """Return where to send the browser back; an unknown client or address is never redirected to."""
    question = flask.request.args
    if question.get("client_id") != CLIENT_ID:
        raise RefusedError("invalid_request", f"client_id must be {CLIENT_ID}")
    redirect_uri = question.get("redirect_uri", "")
    if redirect_uri not in provider.redirect_uris:
        raise RefusedError("invalid_request", f"redirect_uri is not registered: {redirect_uri}")
    return redirect_uri


def _read_question() -> tuple[frozenset[str], str]:
    question = flask.request.args
    if question.get("response_type") != "code":
        raise RefusedError("unsupported_response_type", "response_type must be code")
    scopes = frozenset(question.get("scope", "").split())
    if "openid" not in scopes:
        raise RefusedError("invalid_scope", "scope must contain openid")
    challenge = question.get("code_challenge", "")
    if question.get("code_challenge_method") != "S256" or len(challenge) != _CHALLENGE_LENGTH:
        raise RefusedError("invalid_request", "PKCE with S256 is required")
    return scopes, challenge


def _back(provider: Provider, redirect_uri: str, answer: dict[str, str]) -> flask.Response:
    state = flask.request.args.get("state")
    query = answer | {"iss": provider.base_url} | ({"state": state} if state is not None else {})
    separator = "&" if "?" in redirect_uri else "?"
    reply = flask.Response(status=303)
    reply.headers["Location"] = f"{redirect_uri}{separator}{urlencode(query)}"
    return reply


def _token(provider: Provider) -> dict[str, object]:
    form = flask.request.form
    _authenticate_client(provider)
    if form.get("grant_type") != "authorization_code":
        raise RefusedError("unsupported_grant_type", "grant_type must be authorization_code")
    sign_in = provider.codes.get(form.get("code", ""), take=True)
    if sign_in is None:
        raise RefusedError("invalid_grant", "the code is unknown, used or too old")
    if form.get("redirect_uri") != sign_in.redirect_uri:
        raise RefusedError("invalid_grant", "redirect_uri is not the one the code was given for")
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if not hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), sign_in.challenge):
        raise RefusedError("invalid_grant", "code_verifier does not fit the challenge")
    access_token = provider.tokens.put(sign_in, TOKEN_SECONDS)
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(sorted(sign_in.scopes)),
        "id_token": _id_token(provider, sign_in, access_token),
    }


def _authenticate_client(provider: Provider) -> None:
    basic = flask.request.authorization
    if basic is not None and basic.type == "basic":
        # RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
        given = (unquote_plus(basic.username or ""), unquote_plus(basic.password or ""))
    else:
        given = (flask.request.form.get("client_id", ""), flask.request.form.get("client_secret", ""))
    if given[0] != CLIENT_ID or not hmac.compare_digest(given[1].encode(), provider.client_secret.encode()):
        raise RefusedError("invalid_client", "the client's id or secret is wrong", status=401)


def _id_token(provider: Provider, sign_in: SignIn, access_token: str) -> str:
    now = int(time.time())
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    claims: dict[str, object] = {
        "iss": provider.base_url,
        "aud": CLIENT_ID,
        "azp": CLIENT_ID,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "auth_time": sign_in.signed_in_at,
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        **_claims(sign_in),
    }
    if sign_in.nonce is not None:
        claims["nonce"] = sign_in.nonce
    return jwt.encode(claims, provider.keys.token_key, algorithm="RS256", headers={"kid": provider.keys.key_id})


def _claims(sign_in: SignIn) -> dict[str, object]:
    claims: dict[str, object] = {"sub": sign_in.person.subject}
    if "email" in sign_in.scopes:
        claims |= {"email": sign_in.person.email, "email_verified": True}
    if "profile" in sign_in.scopes:
        claims["name"] = sign_in.person.name
    return claims


def _userinfo(provider: Provider) -> dict[str, object]:
    authorization = flask.request.authorization
    token = authorization.token if authorization is not None and authorization.type == "bearer" else None
    sign_in = provider.tokens.get(token or "", take=False)
    if sign_in is None:
        raise RefusedError("invalid_token", "the access token is unknown or too old", status=401)
    return _claims(sign_in)


def _render(error: RefusedError) -> tuple[dict[str, str], int, dict[str, str]]:
    headers = {"WWW-Authenticate": f'Bearer error="{error.code}"'} if error.status == 401 else {}  # noqa: PLR2004
    return {"error": error.code, "error_description": error.description}, error.status, headers


def _harden(reply: flask.Response) -> flask.Response:
    reply.headers["Cache-Control"] = "no-store"
    reply.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    reply.headers["X-Content-Type-Options"] = "nosniff"
    reply.headers["Referrer-Policy"] = "no-referrer"
    return reply


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="The identity provider of the local emulator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--base-url", required=True, metavar="URL")
    parser.add_argument("--redirect-uri", action="append", required=True, metavar="URL")
    parser.add_argument("--client-secret-file", type=Path, required=True, metavar="FILE")
    parser.add_argument("--data-dir", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    provider = Provider(
        base_url=arguments.base_url,
        client_secret=arguments.client_secret_file.read_text(encoding="ascii").strip(),
        redirect_uris=frozenset(arguments.redirect_uri),
        keys=load_keys(arguments.data_dir),
    )
    make_server(HOST, arguments.port, create_app(provider), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
