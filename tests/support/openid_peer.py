"""The certified OpenID provider `oidc-provider`, running beside DriftWise, with its pages clicked through over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from .peers import Peer, running_peer

CLIENT_ID, CLIENT_SECRET = "driftwise at a peer", "a secret: with % + and & in it"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_MOST_STEPS = 12


@dataclass
class OpenidPeer:
    """The running provider.

    Attributes:
        issuer: its address.
        key: signs its tokens; a test that has it can make tokens that the provider would never make.
    """

    peer: Peer
    issuer: str
    key: rsa.RSAPrivateKey

    def notice(self, *, key: rsa.RSAPrivateKey | None = None, kid: str = "k1", **changes: Any) -> str:
        """Make a logout token; a claim of None is left out (OpenID Connect Back-Channel Logout 1.0 section 2.4)."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": uuid4().hex,
            "events": {LOGOUT_EVENT: {}}, **changes,
        }  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key or self.key, "RS256", {"kid": kid, "typ": "logout+jwt"})


@contextmanager
def openid_peer(
    folder: Path, port: int, our_url: str, accounts: Mapping[str, Mapping[str, object]]
) -> Iterator[OpenidPeer]:
    """Run the provider until the block ends.

    Args:
        folder: for its log.
        port: where it serves.
        our_url: DriftWise's address.
        accounts: login name to claims.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": "k1", "use": "sig", "alg": "RS256"}
    jwk.pop("key_ops", None)
    issuer = f"http://127.0.0.1:{port}"
    config = {
        "issuer": issuer,
        "port": port,
        "jwks": {"keys": [jwk]},
        "client": {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [f"{our_url}/auth/callback"],
            "post_logout_redirect_uris": [f"{our_url}/"],
            "backchannel_logout_uri": f"{our_url}/auth/backchannel-logout/peer",
        },
        "accounts": accounts,
    }
    with running_peer("openid_provider.js", "oidc-provider", config, folder) as peer:
        yield OpenidPeer(peer, issuer, key)


class ProviderPages:
    """A browser's view of the provider: its pages and its cookies, which our own browser has no part in."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self.client = httpx.Client(trust_env=False, timeout=30)
        self.shown: list[str] = []

    def sign_in(self, url: str, login: str) -> str:
        """Go from an authorization request to the way back, filling in whatever page comes; returns where it leads."""
        return self._follow(self.client.get(url), {"login": {"login": login, "password": "any"}, "consent": {}})

    def sign_out(self, url: str) -> str:
        """Confirm that one wants to sign out; returns where that ends: with us, or on a page of the provider."""
        page = self.client.get(url)
        found = re.search(r'action="([^"]+)".*?name="xsrf" value="([^"]+)"', page.text, re.DOTALL)
        assert found, page.text
        return self._follow(self.client.post(found[1], data={"xsrf": found[2], "logout": "yes"}), {})

    def close(self) -> None:
        self.client.close()

    def _follow(self, reply: httpx.Response, answers: Mapping[str, Mapping[str, str]]) -> str:
        for _ in range(_MOST_STEPS):
            if reply.is_redirect:
                url = urljoin(str(reply.url), reply.headers["location"])
                if not url.startswith(self._issuer + "/"):
                    return url
                reply = self.client.get(url)
                continue
            form = re.search(
                r'<form[^>]* action="([^"]+)" method="post">\s*<input[^>]*name="prompt" value="(\w+)"', reply.text
            )
            if form is None and not answers and reply.is_success:
                return str(reply.url)
            assert form, f"{reply.url}: {reply.status_code}\n{reply.text}"
            self.shown.append(form[2])
            reply = self.client.post(form[1], data={"prompt": form[2], **answers[form[2]]})
        raise AssertionError(f"the provider leads nowhere: {reply.url}")
