"""We, as a SAML service provider, for one connection: our addresses, our key, the provider's metadata.

Owns what lies between the stored row and `saml`. Loads lxml and signxml, so it is imported by the handlers that need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from shared.ports.clock import Entropy
from shared.ports.errors import CiphertextRefused
from shared.ports.secret_store import Secret
from shared.security.envelope import Place

from .models.sso import CertificateView
from .saml.certificates import self_signed
from .saml.metadata import IdentityProvider, read_metadata
from .saml.models import Connection
from .saml.signing import PrivateKeySigner
from .wiring import SP_KEY, AuthDeps

_CERTIFICATE_LIFETIME = timedelta(days=3650)  # nobody checks its dates but administrators who see it expire
_KEY_BITS = 2048


def sp_entity_id(public_url: str, connection_id: UUID) -> str:
    """Return our name to one connection's identity provider; also where our metadata are."""
    return f"{public_url}/auth/saml/{connection_id}/metadata"


def acs_url(public_url: str, connection_id: UUID) -> str:
    """Return where responses are posted to."""
    return f"{public_url}/auth/saml/{connection_id}/acs"


def key_place(org_id: UUID, connection_id: UUID) -> Place:
    """Say where our key for a connection stands."""
    return SP_KEY.place(org_id, connection_id)


def make_key(entropy: Entropy, common_name: str, now: datetime) -> tuple[Secret, str]:
    """Make our key for a connection; returns it in DER (PKCS #8) and its certificate in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    serial_number = int.from_bytes(entropy.token_bytes(15), "big") + 1
    certificate = self_signed(
        PrivateKeySigner(key),
        key.public_key(),
        common_name=common_name,
        serial_number=serial_number,
        now=now,
        lifetime=_CERTIFICATE_LIFETIME,
    )
    pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM).decode()
    return Secret(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())), pem


def open_key(deps: AuthDeps, org_id: UUID, row: Mapping[str, Any]) -> rsa.RSAPrivateKey:
    """Open our key for a connection.

    Raises:
        CiphertextRefused: (500 `ciphertext_refused`).
        ServiceAway: (503 `service_away`) KMS did not answer.
    """
    opened = deps.envelope.open(bytes(row["sp_key_encrypted"]), key_place(org_id, row["id"]))
    key = load_der_private_key(opened.reveal(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CiphertextRefused
    return key


def certificate_der(row: Mapping[str, Any]) -> bytes:
    """Return our certificate for a connection."""
    return x509.load_pem_x509_certificate(row["sp_certificate"].encode()).public_bytes(Encoding.DER)


def read_provider(deps: AuthDeps, metadata_xml: str, entity_id: str | None, now: datetime) -> IdentityProvider:
    """Read a provider's metadata. Raises: SamlMetadataInvalid (422 `saml_metadata_invalid`)."""
    is_local = not deps.settings.is_production
    return read_metadata(metadata_xml.encode(), now=now, entity_id=entity_id, allow_loopback=is_local)


def connection_of(row: Mapping[str, Any], provider: IdentityProvider) -> Connection:
    """Return whose word counts, and how far."""
    return Connection(
        provider.entity_id,
        provider.certificates,
        allow_idp_initiated=row["allows_unsolicited"],
        allow_cbc=row["allows_cbc"],
    )


def show_certificate(der: bytes) -> CertificateView:
    """Show a certificate to an administrator."""
    from cryptography.hazmat.primitives.hashes import SHA256

    certificate = x509.load_der_x509_certificate(der)
    return CertificateView(
        subject=certificate.subject.rfc4514_string()[:500],
        sha256=certificate.fingerprint(SHA256()).hex(":"),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )
