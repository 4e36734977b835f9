"""The only shapes a response may have, as tables, and the check that holds a tree against them.

Narrower than the standards' schemas: what no identity provider needs for signing in has no place where something could
hide (extensions, advice, objects in signatures). What a table does not name is refused, not skipped.
Source: saml-schema-protocol-2.0, saml-schema-assertion-2.0, XML Signature 1.1, XML Encryption 1.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

from ..errors import SamlRefused
from .documents import Element
from .names import (
    ASSERTION,
    ENCRYPTED_ASSERTION,
    EXC_C14N,
    ISSUER,
    NAME_ID,
    RESPONSE,
    SAML,
    SAMLP,
    SIGNATURE,
    STATUS,
    STATUS_CODE,
    XENC,
    XENC11,
    ds,
    saml,
    samlp,
    xenc,
)
from .reasons import Refusal

_MANY = 5_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What one element may hold.

    Attributes:
        items: the children, in order.
        text: whether it may hold text; an element with children never does.
        foreign: whether attributes of other standards' namespaces are let through, unread.
        opaque: whether anything may stand in it, unread; a message's own parts may not, not even there.
        reason: what a broken rule in here is called; without one, as in the element around.
    """

    tag: str
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    items: tuple[Item, ...] = ()
    text: bool = False
    foreign: bool = False
    opaque: bool = False
    reason: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A place for `least` to `most` children of any of these shapes."""

    shapes: tuple[Shape, ...]
    least: int = 1
    most: int = 1


def check_shape(element: Element, shape: Shape, reason: Refusal = Refusal.SHAPE) -> None:
    """Hold an element and all below it against a shape.

    Raises:
        SamlRefused: (401 `saml_refused`).
    """
    reason = shape.reason or reason
    if element.tag != shape.tag:
        raise SamlRefused(reason)
    _check_attributes(element, shape, reason)
    if shape.opaque:
        _check_opaque(element, reason)
        return
    children = list(element)
    if children or not shape.text:
        texts = [element.text, *(child.tail for child in children)]
        if any(text and text.strip(" \t\r\n") for text in texts):
            raise SamlRefused(reason)
    at = 0
    for item in () if shape.text and not children else shape.items:
        at += _check_item(children[at:], item, reason)
    if at != len(children):
        raise SamlRefused(reason)


def _check_item(children: list[Element], item: Item, reason: Refusal) -> int:
    """Check as many children as belong to an item; returns how many."""
    count = 0
    for child, _ in zip(children, range(item.most), strict=False):
        shape = next((shape for shape in item.shapes if shape.tag == child.tag), None)
        if shape is None:
            break
        check_shape(child, shape, reason)
        count += 1
    if count < item.least:
        raise SamlRefused(reason)
    return count


def _check_attributes(element: Element, shape: Shape, reason: Refusal) -> None:
    names = {str(name) for name in element.attrib}
    others = names - shape.required - shape.optional
    if shape.foreign:
        others = {name for name in others if not name.startswith("{") or _is_ours(name)}
    if others or not shape.required <= names:
        raise SamlRefused(reason)


def _check_opaque(element: Element, reason: Refusal) -> None:
    for found in element.iterdescendants():
        if _is_ours(str(found.tag)) or found.tag == SIGNATURE:
            raise SamlRefused(reason)


def _is_ours(name: str) -> bool:
    return etree.QName(name).namespace in {SAML, SAMLP, XENC, XENC11}


def find_named(root: Element, *tags: str) -> list[Element]:
    """Find every element that could be taken for one of these: by local name, whatever its namespace."""
    wanted = {etree.QName(tag).localname for tag in tags}
    return [found for found in root.iter() if etree.QName(found).localname in wanted]


def _one(*shapes: Shape) -> Item:
    return Item(shapes)


def _maybe(*shapes: Shape, most: int = 1) -> Item:
    return Item(shapes, 0, most)


_ALGORITHM = frozenset({"Algorithm"})
_ID_ONLY = frozenset({"Id"})
_QUALIFIERS = frozenset({"Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"})
_ISSUER = Shape(ISSUER, optional=_QUALIFIERS, text=True)
_NAME_ID = Shape(NAME_ID, optional=_QUALIFIERS, text=True)
_KEY_INFO = Shape(ds("KeyInfo"), optional=_ID_ONLY, opaque=True)

_TRANSFORM = Shape(
    ds("Transform"),
    _ALGORITHM,
    items=(_maybe(Shape(f"{{{EXC_C14N}}}InclusiveNamespaces", frozenset({"PrefixList"}))),),
)
_REFERENCE = Shape(
    ds("Reference"),
    frozenset({"URI"}),
    items=(
        _one(Shape(ds("Transforms"), items=(Item((_TRANSFORM,), 2, 2),))),
        _one(Shape(ds("DigestMethod"), _ALGORITHM)),
        _one(Shape(ds("DigestValue"), text=True)),
    ),
)
_SIGNED_INFO = Shape(
    ds("SignedInfo"),
    optional=_ID_ONLY,
    items=(
        _one(Shape(ds("CanonicalizationMethod"), _ALGORITHM)),
        _one(Shape(ds("SignatureMethod"), _ALGORITHM)),
        _one(_REFERENCE),
    ),
)
_SIGNATURE = Shape(
    SIGNATURE,
    optional=_ID_ONLY,
    items=(
        _one(_SIGNED_INFO),
        _one(Shape(ds("SignatureValue"), optional=_ID_ONLY, text=True)),
        _maybe(_KEY_INFO),
    ),
    reason=Refusal.SIGNATURE_SHAPE,
)

_CONFIRMATION_DATA = Shape(
    saml("SubjectConfirmationData"),
    optional=frozenset({"NotBefore", "NotOnOrAfter", "Recipient", "InResponseTo", "Address"}),
)
_CONFIRMATION = Shape(saml("SubjectConfirmation"), frozenset({"Method"}), items=(_maybe(_CONFIRMATION_DATA),))
_SUBJECT = Shape(
    saml("Subject"),
    items=(_maybe(_NAME_ID), _maybe(_CONFIRMATION, most=8)),
    reason=Refusal.SUBJECT,
)
_AUDIENCE_RESTRICTION = Shape(saml("AudienceRestriction"), items=(Item((Shape(saml("Audience"), text=True),), 1, 50),))
_CONDITIONS = Shape(
    saml("Conditions"),
    optional=frozenset({"NotBefore", "NotOnOrAfter"}),
    items=(_maybe(_AUDIENCE_RESTRICTION, Shape(saml("OneTimeUse")), most=20),),
    reason=Refusal.CONDITIONS,
)
_AUTHN_CONTEXT = Shape(
    saml("AuthnContext"),
    items=(
        _maybe(Shape(saml("AuthnContextClassRef"), text=True)),
        _maybe(Shape(saml("AuthnContextDeclRef"), text=True)),
        _maybe(Shape(saml("AuthenticatingAuthority"), text=True), most=10),
    ),
)
_AUTHN_STATEMENT = Shape(
    saml("AuthnStatement"),
    frozenset({"AuthnInstant"}),
    frozenset({"SessionIndex", "SessionNotOnOrAfter"}),
    items=(
        _maybe(Shape(saml("SubjectLocality"), optional=frozenset({"Address", "DNSName"}))),
        _one(_AUTHN_CONTEXT),
    ),
    reason=Refusal.AUTHN_STATEMENT,
)
_ATTRIBUTE_VALUE = Shape(saml("AttributeValue"), items=(_maybe(_NAME_ID),), text=True, foreign=True)
_ATTRIBUTE = Shape(
    saml("Attribute"),
    frozenset({"Name"}),
    frozenset({"NameFormat", "FriendlyName"}),
    items=(_maybe(_ATTRIBUTE_VALUE, most=_MANY),),
    foreign=True,
)
_ATTRIBUTE_STATEMENT = Shape(saml("AttributeStatement"), items=(_maybe(_ATTRIBUTE, most=_MANY),))

SIGNED_ASSERTION = Shape(
    ASSERTION,
    frozenset({"ID", "Version", "IssueInstant"}),
    items=(
        _one(_ISSUER),
        _maybe(_SUBJECT),
        _maybe(_CONDITIONS),
        _maybe(_AUTHN_STATEMENT, _ATTRIBUTE_STATEMENT, most=20),
    ),
)
"""An assertion as its signature covers it: without the signature."""

ASSERTION_SHAPE = replace(
    SIGNED_ASSERTION, items=(SIGNED_ASSERTION.items[0], _maybe(_SIGNATURE), *SIGNED_ASSERTION.items[1:])
)

_CIPHER_DATA = Shape(xenc("CipherData"), items=(_one(Shape(xenc("CipherValue"), text=True)),))
_KEY_METHOD = Shape(
    xenc("EncryptionMethod"),
    _ALGORITHM,
    items=(_maybe(Shape(ds("DigestMethod"), _ALGORITHM), Shape(f"{{{XENC11}}}MGF", _ALGORITHM), most=2),),
)
_ENCRYPTED_KEY = Shape(
    xenc("EncryptedKey"),
    optional=frozenset({"Id", "Type", "Recipient"}),
    items=(
        _one(_KEY_METHOD),
        _maybe(_KEY_INFO),
        _one(_CIPHER_DATA),
        _maybe(
            Shape(
                xenc("ReferenceList"),
                items=(_maybe(Shape(xenc("DataReference"), frozenset({"URI"})), most=1),),
            )
        ),
        _maybe(Shape(xenc("CarriedKeyName"), text=True)),
    ),
)
_RETRIEVAL = Shape(ds("RetrievalMethod"), frozenset({"URI"}), frozenset({"Type"}))
_ENCRYPTED_DATA = Shape(
    xenc("EncryptedData"),
    optional=frozenset({"Id", "Type", "MimeType", "Encoding"}),
    items=(
        _one(Shape(xenc("EncryptionMethod"), _ALGORITHM)),
        _one(Shape(ds("KeyInfo"), items=(_one(_ENCRYPTED_KEY, _RETRIEVAL),))),
        _one(_CIPHER_DATA),
    ),
)
ENCRYPTED_ASSERTION_SHAPE = Shape(
    ENCRYPTED_ASSERTION,
    items=(_one(_ENCRYPTED_DATA), _maybe(_ENCRYPTED_KEY)),
    reason=Refusal.ENCRYPTION_SHAPE,
)

_STATUS = Shape(
    STATUS,
    items=(
        _one(
            Shape(
                STATUS_CODE,
                frozenset({"Value"}),
                items=(_maybe(Shape(STATUS_CODE, frozenset({"Value"}))),),
            )
        ),
        _maybe(Shape(samlp("StatusMessage"), text=True)),
        _maybe(Shape(samlp("StatusDetail"), opaque=True)),
    ),
)
RESPONSE_SHAPE = Shape(
    RESPONSE,
    frozenset({"ID", "Version", "IssueInstant"}),
    frozenset({"Destination", "InResponseTo", "Consent"}),
    items=(
        _maybe(_ISSUER),
        _maybe(_SIGNATURE),
        _one(_STATUS),
        _one(ASSERTION_SHAPE, ENCRYPTED_ASSERTION_SHAPE),
    ),
)
SIGNED_RESPONSE_SHAPE = replace(RESPONSE_SHAPE, items=(RESPONSE_SHAPE.items[0], *RESPONSE_SHAPE.items[2:]))
"""A response as its signature covers it: without that signature, the assertion's own still in it."""
