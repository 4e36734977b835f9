"""The SCRAM verifier of a password, as PostgreSQL stores it.

Made here and not by the server, so that a new password never stands in a statement, and so in no log of statements.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

SALT_BYTES = 16
_ITERATIONS = 4096  # the server's default; passwords are 256 random bits, which no number of iterations makes safer


def scram_verifier(password: str, salt: bytes, iterations: int = _ITERATIONS) -> str:
    """Return what PostgreSQL accepts in place of a password.

    Args:
        password: printable ASCII, so that preparing it (SASLprep) would change nothing.
        salt: random.
        iterations: of PBKDF2.

    Raises:
        ValueError: the password has other characters.
    Source: RFC 5802 section 3; RFC 7677; https://www.postgresql.org/docs/18/catalog-pg-authid.html
    """
    if not password or not password.isascii() or not password.isprintable():
        raise ValueError("the password must be printable ASCII")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    parts = (b64encode(part).decode() for part in (salt, stored_key, server_key))
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *parts)
