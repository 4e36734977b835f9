"""The issuer of push tokens, in the place of accounts.google.com: one RSA key, kept, and its public half as JWKS."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from threading import Lock

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local_emulator.google.storage import write_atomically

LIFETIME_SECONDS = 3600
RENEW_SECONDS = 300  # before the end, a new token is made


class Issuer:
    """Signs OpenID tokens of service accounts (RS256)."""

    def __init__(self, key_file: Path, url: str, *, served_at: str) -> None:
        self.url = url
        self._served_at = served_at
        self._key = _load_or_create(key_file)
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._key_id = hashlib.sha256(public).hexdigest()[:40]
        self._tokens: dict[tuple[str, str], tuple[float, str]] = {}
        self._lock = Lock()

    def token(self, audience: str, email: str) -> str:
        """Return a token for one audience, the same one until it nears its end.

        Args:
            audience: `aud`, a single string.
            email: the service account; `sub` and `azp` follow from it.
        Source: https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions (JWT format)
        """
        now = time.time()
        with self._lock:
            expires_at, token = self._tokens.get((audience, email), (0.0, ""))
            if expires_at - RENEW_SECONDS <= now:
                expires_at = now + LIFETIME_SECONDS
                token = self._sign(audience, email, int(now))
                self._tokens[audience, email] = (expires_at, token)
        return token

    def _sign(self, audience: str, email: str, now: int) -> str:
        subject = str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8]) | 1 << 63)
        claims = {
            "iss": self.url,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def discovery(self) -> dict[str, object]:
        """Describe the issuer (OpenID Connect Discovery 1.0)."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self._served_at}/oauth2/v3/certs",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def jwks(self) -> dict[str, object]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        public = {name: key[name] for name in ("kty", "n", "e")}
        return {"keys": [public | {"use": "sig", "alg": "RS256", "kid": self._key_id}]}


def _load_or_create(path: Path) -> rsa.RSAPrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{path} does not hold an RSA key")
        return key
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_atomically(path, pem)
    return key
