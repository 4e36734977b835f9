"""Whether a text is a private key that GitHub's Apps sign with. Pure.

Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/managing-private-keys-for-github-apps.
"""

from __future__ import annotations

from typing import Final

from ..errors import PrivateKeyUnusable

_LEAST_BITS: Final = 2048


def check_private_key(pem: bytes) -> None:
    """Refuse a text that is no RSA private key as PEM.

    Raises:
        PrivateKeyUnusable: (422 `private_key_unusable`).
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # few requests need it
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a pass phrase
        raise PrivateKeyUnusable from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise PrivateKeyUnusable
