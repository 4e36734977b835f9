"""Reads an identity provider's metadata: who it is, where it signs people in, by which keys.

A signature on the metadata is not looked at: an administrator vouches for an upload, TLS for a download. Expired
certificates are kept, so that the administrator sees them listed with their dates; what they sign is refused
(`signatures`), while several current ones overlap for as long as a key is being changed.
Source: SAML metadata 2.0 (OASIS 2005) sections 2.3 and 2.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..errors import SamlMetadataInvalid, SamlRefused
from .certificates import find_weakness
from .documents import METADATA, Element, decode_base64_element, parse
from .names import POST_BINDING, REDIRECT_BINDING, SAMLP, ds, md
from .reasons import Refusal
from .times import parse_instant

_ENTITY, _ENTITIES = md("EntityDescriptor"), md("EntitiesDescriptor")
_MOST_CERTIFICATES = 16
_MOST_NAME_CHARACTERS = 1024
_SECURE_URL = re.compile(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[\x21-\x7e]*|\?[\x21-\x7e]*)?")
_LOOPBACK_URL = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?/[\x21-\x7e]*")
_FOUND_PROBLEMS = {
    Refusal.TOO_LARGE: "It is larger than a megabyte; cut it down to the one entity.",
    Refusal.NOT_UTF8: "It is not UTF-8.",
    Refusal.MARKUP_FORBIDDEN: "It has a DTD, an entity or an instruction in it.",
    Refusal.NOT_WELL_FORMED: "It is not well-formed XML.",
    Refusal.TIME_FORM: "A time in it is not one in UTC.",
    Refusal.NOT_BASE64: "A certificate in it is not base64.",
}


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """What an identity provider's metadata say.

    Attributes:
        certificates: DER, for signing, in the order of the document, each once.
        sso_redirect_url: where to send people by the redirect binding.
        sso_post_url: where by the POST binding; at least one of the two is there.
        wants_signed_requests: we sign them all the same.
        valid_until: when the metadata must be read anew.
    """

    entity_id: str
    certificates: tuple[bytes, ...]
    sso_redirect_url: str | None
    sso_post_url: str | None
    name_id_formats: tuple[str, ...]
    wants_signed_requests: bool
    valid_until: datetime | None


def read_metadata(
    content: bytes, *, now: datetime, entity_id: str | None = None, allow_loopback: bool = False
) -> IdentityProvider:
    """Read metadata.

    Args:
        content: an EntityDescriptor, or an EntitiesDescriptor with the wanted one somewhere in it.
        now: time of the decision; metadata that are too old are refused.
        entity_id: the wanted one; may be None where there is one identity provider only.
        allow_loopback: take http addresses of this machine, as the emulator's are.

    Raises:
        SamlMetadataInvalid: (422 `saml_metadata_invalid`) with a detail for the administrator.
    """
    try:
        entity = _find_entity(parse(content, METADATA), entity_id)
        ends = [parse_instant(end) for level in _levels(entity) if (end := level.get("validUntil")) is not None]
        if ends and min(ends) <= now:
            raise SamlMetadataInvalid(f"It was valid until {min(ends).isoformat()}.")
        return _read_entity(entity, min(ends, default=None), allow_loopback=allow_loopback)
    except SamlRefused as error:
        detail = _FOUND_PROBLEMS.get(Refusal(error.reason), "It has parts that metadata may not have.")
        raise SamlMetadataInvalid(detail) from error


def _find_entity(root: Element, entity_id: str | None) -> Element:
    if root.tag not in {_ENTITY, _ENTITIES}:
        raise SamlMetadataInvalid("It is neither an EntityDescriptor nor an EntitiesDescriptor.")
    entities = [entity for entity in _entities(root) if _role(entity) is not None]
    if entity_id is not None:
        entities = [entity for entity in entities if entity.get("entityID") == entity_id]
    if not entities:
        raise SamlMetadataInvalid("It does not describe the identity provider that was asked for.")
    if len(entities) > 1:
        raise SamlMetadataInvalid("It describes several identity providers; say which by its entity id.")
    return entities[0]


def _entities(element: Element) -> Iterator[Element]:
    """Walk the groups down to entities; nowhere else is an entity one."""
    if element.tag == _ENTITY:
        yield element
    elif element.tag == _ENTITIES:
        for child in element:
            yield from _entities(child)


def _levels(entity: Element) -> Iterator[Element]:
    role = _role(entity)
    yield from (entity, *entity.iterancestors(_ENTITIES))
    if role is not None:
        yield role


def _role(entity: Element) -> Element | None:
    """Return the entity's part as an identity provider that speaks SAML 2.0."""
    roles = [
        role
        for role in entity.findall(md("IDPSSODescriptor"))
        if SAMLP in role.get("protocolSupportEnumeration", "").split()
    ]
    return roles[0] if len(roles) == 1 else None


def _read_entity(entity: Element, valid_until: datetime | None, *, allow_loopback: bool) -> IdentityProvider:
    role = _role(entity)
    entity_id = entity.get("entityID", "")
    if role is None or not entity_id or len(entity_id) > _MOST_NAME_CHARACTERS or entity_id != entity_id.strip():
        raise SamlMetadataInvalid("Its entity id is missing, or no name.")
    redirect_url = _endpoint(role, REDIRECT_BINDING, allow_loopback=allow_loopback)
    post_url = _endpoint(role, POST_BINDING, allow_loopback=allow_loopback)
    if redirect_url is None and post_url is None:
        raise SamlMetadataInvalid("It has no address for signing in by the redirect or the POST binding.")
    return IdentityProvider(
        entity_id=entity_id,
        certificates=_certificates(role),
        sso_redirect_url=redirect_url,
        sso_post_url=post_url,
        name_id_formats=tuple(found.text for found in role.findall(md("NameIDFormat")) if found.text),
        wants_signed_requests=role.get("WantAuthnRequestsSigned") in {"true", "1"},
        valid_until=valid_until,
    )


def _endpoint(role: Element, binding: str, *, allow_loopback: bool) -> str | None:
    for service in role.findall(md("SingleSignOnService")):
        if service.get("Binding") == binding:
            location = service.get("Location", "")
            loopback = allow_loopback and _LOOPBACK_URL.fullmatch(location)
            if not (_SECURE_URL.fullmatch(location) or loopback) or len(location) > _MOST_NAME_CHARACTERS:
                raise SamlMetadataInvalid(f"Its address for signing in is no https address: {location[:200]}")
            return location
    return None


def _certificates(role: Element) -> tuple[bytes, ...]:
    found: dict[bytes, None] = {}
    problems: list[str] = []
    for descriptor in role.findall(md("KeyDescriptor")):
        if descriptor.get("use", "signing") != "signing":
            continue
        for element in descriptor.iterfind(f"{ds('KeyInfo')}/{ds('X509Data')}/{ds('X509Certificate')}"):
            certificate = _load(decode_base64_element(element, Refusal.NOT_BASE64))
            problem = find_weakness(certificate)
            if problem is None:
                found[certificate.public_bytes(Encoding.DER)] = None
            else:
                problems.append(problem)
    if not found:
        raise SamlMetadataInvalid(
            f"It has no certificate for signing that can be used; {', '.join(problems) or 'none'}."
        )
    if len(found) > _MOST_CERTIFICATES:
        raise SamlMetadataInvalid(f"It has more than {_MOST_CERTIFICATES} certificates for signing.")
    return tuple(found)


def _load(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()
    except ValueError as error:
        raise SamlMetadataInvalid("A certificate in it is none.") from error
    return certificate
