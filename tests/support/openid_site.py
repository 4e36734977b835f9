"""An OpenID provider that answers as a test says, well or badly: on a socket, and no wiser than its pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEY = rsa.generate_private_key(65537, 2048)
JWK = {**RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k", "use": "sig", "key_ops": ["verify"]}


class Site:
    """A provider's pages, which a test changes or takes away."""

    def __init__(self) -> None:
        self.status = 200
        self.changes: dict[str, Any] = {}
        self.reads = 0
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.seen: dict[str, tuple[Message, bytes]] = {}
        self.before_reply: Callable[[], None] = lambda: None
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                site.seen[self.path] = (self.headers, content)
                status, page = site.pages.get(self.path, (site.status, b""))
                if "well-known" in self.path:
                    site.reads += 1
                    page = page or json.dumps(site.document()).encode()
                site.before_reply()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(page)

            do_POST = do_GET  # noqa: N815  # the server calls it so

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def document(self) -> dict[str, Any]:
        ends = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        return {"issuer": self.issuer, **ends, **self.changes}

    def sign(self, claims: dict[str, Any]) -> str:
        """Make an ID token."""
        return jwt.encode({"iss": self.issuer, **claims}, KEY, "RS256", {"kid": "k"})

    def redeem(self, claims: dict[str, Any], **answer: Any) -> None:
        """Let the token endpoint answer with an ID token, and more."""
        self.pages["/jwks_uri"] = (200, json.dumps({"keys": [JWK]}).encode())
        page = {"id_token": self.sign(claims), "access_token": "a.b-c", "token_type": "Bearer", **answer}
        self.pages["/token_endpoint"] = (200, json.dumps(page).encode())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
