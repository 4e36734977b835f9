"""Proofs of who this process is: asked of the platform for one audience, and a 503 while the platform does not answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from google.auth.compute_engine import _metadata

from shared.ports.errors import ServiceAway
from shared.ports.identity_tokens import GoogleIdentityTokens, IdentityTokens
from shared.testing.identity_tokens import MemoryIdentityTokens


class Platform(BaseHTTPRequestHandler):
    """The metadata server's identity endpoint. Source: Compute Engine, "Verify VM identity"."""

    status = 200

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        audience = parse_qs(place.query).get("audience", [""])[0]
        is_identity = place.path.endswith("/service-accounts/default/identity")
        self.send_response(self.status if self.headers["Metadata-Flavor"] == "Google" else 404)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "text/html" if is_identity else "application/json")
        self.end_headers()
        self.wfile.write((token(audience) if is_identity else '{"email": "scan@example.test"}').encode())

    do_POST = do_GET  # noqa: N815  # the name is the server's

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def token(audience: str) -> str:
    parts = ({"alg": "RS256"}, {"aud": audience, "exp": 4102444800, "azp": "117234567890123456789"})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, "c2ln"])


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), Platform)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", f"127.0.0.1:{server.server_port}")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def test_a_token_names_the_audience_it_was_asked_for(platform: None) -> None:
    found = GoogleIdentityTokens().token_for("dw-one customer's")
    assert found == token("dw-one customer's")


@pytest.mark.parametrize("tokens", [GoogleIdentityTokens(), MemoryIdentityTokens()], ids=["google", "memory"])
def test_each_audience_gets_a_token_of_its_own(platform: None, tokens: IdentityTokens) -> None:
    assert tokens.token_for("dw-one") != tokens.token_for("dw-two")


def test_a_platform_that_refuses_is_a_503(platform: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Platform, "status", 403)
    with pytest.raises(ServiceAway):
        GoogleIdentityTokens().token_for("dw-one")
