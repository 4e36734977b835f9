"""Takes a response apart: what must be refused is refused in a fixed order, what is read was verified first.

Two elements may be signed, the response and its assertion; a signature that is there must be good, and the
assertion's must be there. Each is read only from the bytes that its own signature gave back. What an unsigned response
says around the assertion can only make us refuse.
Source: SAML profiles 4.1.4 (web browser sign-on), core 2.5 (conditions) and 3.2.2 (status), bindings 3.5 (POST).
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from ..errors import SamlRefused
from .assertions import read_assertion
from .documents import Element, parse
from .encryption import Decryptor, decrypt_assertion
from .models import CLOCK_SKEW, Connection, ExpectedResponse, VerifiedAssertion
from .names import ASSERTION, ENCRYPTED_ASSERTION, ISSUER, RESPONSE, SIGNATURE, STATUS, STATUS_CODE, SUCCESS, VERSION
from .reasons import Refusal
from .shapes import (
    ASSERTION_SHAPE,
    RESPONSE_SHAPE,
    SIGNED_ASSERTION,
    SIGNED_RESPONSE_SHAPE,
    check_shape,
    find_named,
)
from .signatures import is_signed, verify_element
from .times import parse_instant


def verify_response(
    content: bytes,
    connection: Connection,
    expected: ExpectedResponse,
    decryptor: Decryptor | None = None,
) -> VerifiedAssertion:
    """Verify a response and read its assertion.

    Args:
        content: the response as XML, see `documents.decode_message`.
        connection: whose word is taken, and by which keys.
        expected: what the response has to answer.
        decryptor: opens encrypted assertions; without one they are refused.

    Returns:
        The assertion. Whether it was seen before is for the caller to check, by issuer and assertion id.

    Raises:
        SamlRefused: (401 `saml_refused`) with the reason for the audit log.
    """
    if expected.request_id is None and not connection.allow_idp_initiated:
        raise SamlRefused(Refusal.UNSOLICITED)
    response = parse(content)
    if response.tag != RESPONSE:
        raise SamlRefused(Refusal.NOT_A_RESPONSE)
    _check_status(response)
    _check_parts(response)
    check_shape(response, RESPONSE_SHAPE)
    certificates = [x509.load_der_x509_certificate(der) for der in connection.certificates]
    envelope = response
    if is_signed(response):
        envelope = _read_again(verify_element(response, certificates, now=expected.now), response)
        check_shape(envelope, SIGNED_RESPONSE_SHAPE)
    _check_envelope(envelope, connection, expected)
    assertion = _find_assertion(response, envelope, connection, decryptor)
    signed = _verify_assertion(assertion, certificates, expected)
    return read_assertion(signed, connection, expected)


def _verify_assertion(
    assertion: Element, certificates: Sequence[x509.Certificate], expected: ExpectedResponse
) -> Element:
    """Return the assertion anew, from the bytes that were signed."""
    signed = _read_again(verify_element(assertion, certificates, now=expected.now), assertion)
    check_shape(signed, SIGNED_ASSERTION)
    return signed


def _find_assertion(
    response: Element, envelope: Element, connection: Connection, decryptor: Decryptor | None
) -> Element:
    """Return the assertion, signed or not; an encrypted one is opened from the bytes that were verified, if any were."""
    plain = response.find(ASSERTION)
    if plain is not None:
        return plain
    encrypted = envelope.find(ENCRYPTED_ASSERTION)
    if encrypted is None:
        raise SamlRefused(Refusal.ASSERTION_COUNT)
    allow_cbc = connection.allow_cbc and is_signed(response)
    assertion = parse(decrypt_assertion(encrypted, decryptor, allow_cbc=allow_cbc))
    if assertion.tag != ASSERTION:
        raise SamlRefused(Refusal.ENCRYPTION_SHAPE)
    _check_parts(assertion)
    check_shape(assertion, ASSERTION_SHAPE)
    return assertion


def _read_again(signed: bytes, original: Element) -> Element:
    """Parse signed bytes as a document of their own; it must be the element whose signature was verified."""
    found = parse(signed)
    if found.tag != original.tag or found.get("ID") != original.get("ID"):
        raise SamlRefused(Refusal.SIGNATURE_REFERENCE)
    return found


def _check_status(response: Element) -> None:
    """Refuse early what the identity provider itself calls a failure; such a response has no assertion to look for."""
    code = response.find(f"{STATUS}/{STATUS_CODE}")
    if code is None or code.get("Value") != SUCCESS:
        raise SamlRefused(Refusal.STATUS)


def _check_parts(root: Element) -> None:
    """Count assertions and look where signatures stand, by local name: no namespace hides one."""
    assertions = find_named(root, ASSERTION, ENCRYPTED_ASSERTION)
    if len(assertions) != 1 or assertions[0].tag not in {ASSERTION, ENCRYPTED_ASSERTION}:
        raise SamlRefused(Refusal.ASSERTION_COUNT)
    if assertions[0] is not root and assertions[0].getparent() is not root:
        raise SamlRefused(Refusal.ASSERTION_COUNT)
    for signature in find_named(root, SIGNATURE):
        if signature.tag != SIGNATURE or signature.getparent() not in {root, assertions[0]}:
            raise SamlRefused(Refusal.SIGNATURE_PLACE)


def _check_envelope(envelope: Element, connection: Connection, expected: ExpectedResponse) -> None:
    if envelope.get("Version") != VERSION:
        raise SamlRefused(Refusal.VERSION)
    if envelope.get("Destination") != expected.acs_url:
        raise SamlRefused(Refusal.DESTINATION)
    issuer = envelope.find(ISSUER)
    if issuer is not None and issuer.text != connection.entity_id:
        raise SamlRefused(Refusal.RESPONSE_ISSUER)
    if parse_instant(envelope.get("IssueInstant", "")) > expected.now + CLOCK_SKEW:
        raise SamlRefused(Refusal.ISSUED_IN_FUTURE)
    if envelope.get("InResponseTo") != expected.request_id:
        raise SamlRefused(Refusal.IN_RESPONSE_TO)
