"""The identity provider's keys: the one that signs tokens, and the one that signs SAML responses, with its certificate.

Both are made once and kept under the data directory, so that a restart does not sign anybody out.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_CERTIFICATE_DAYS = 3650


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """Attributes: `key_id` names `token_key` in the key set; `certificate` belongs to `saml_key`."""

    token_key: rsa.RSAPrivateKey
    key_id: str
    saml_key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def certificate_der(self) -> bytes:
        """Return the certificate as metadata and signatures hold it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def jwks(self) -> dict[str, object]:
        """Return the public token key as a key set (RFC 7517)."""
        numbers = self.token_key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id}
        return {"keys": [key | {"n": _base64url(numbers.n), "e": _base64url(numbers.e)}]}

    def saml_metadata(self, base_url: str) -> str:
        """Return the identity provider's SAML 2.0 metadata.

        Source: https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf (2.4.3)
        """
        der = base64.b64encode(self.certificate_der).decode()
        return _METADATA.format(base_url=base_url, certificate=der)


def load_keys(directory: Path) -> IdentityKeys:
    """Read the keys of a directory; make those that are missing."""
    directory.mkdir(parents=True, exist_ok=True)
    token_key = _key(directory / "token_key.pem")
    saml_key = _key(directory / "saml_key.pem")
    certificate_file = directory / "saml_certificate.pem"
    if certificate_file.exists():
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    else:
        certificate = _certificate(saml_key)
        _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
    public = token_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return IdentityKeys(token_key, hashlib.sha256(public).hexdigest()[:24], saml_key, certificate)


def _key(file: Path) -> rsa.RSAPrivateKey:
    if file.exists():
        found = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(found, rsa.RSAPrivateKey):
            raise ValueError(f"{file} does not hold an RSA key")
        return found
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(file, pem)
    return key


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "DriftWise local identity provider")])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=_CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _write(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as output:
        output.write(content)


def _base64url(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_METADATA = """\
<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{base_url}/saml/metadata">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="true"
      protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
        <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{base_url}/saml/sso"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{base_url}/saml/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"""
