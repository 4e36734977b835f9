"""Turns bytes into a tree, or refuses: bounded, UTF-8, and nothing in it but elements, attributes and text.

The bytes are searched for markup before a parser sees them: in well-formed XML a raw `<` only ever opens markup, so
`<!` is a DTD, a comment or CDATA wherever it stands, and `<?` behind the declaration is an instruction. The tree is
then walked by the parser's own events, so that a rule holds also where the two should ever read differently.
Source: ADR-0014; "SAML XML parser differentials" (CVE-2025-25291, CVE-2025-25292); Duo Labs 2018 (comments).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from lxml import etree

from ..errors import SamlRefused
from .names import DS, SAML, SAMLP, XENC, XENC11
from .reasons import Refusal

Element: TypeAlias = etree._Element  # noqa: SLF001  # lxml's public name of the type is a factory

MOST_BYTES = 256 * 1024
_MOST_BASE64_CHARACTERS = MOST_BYTES * 3 // 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may hold.

    Attributes:
        most_bytes: of the document.
        most_namespaces: in scope of one element.
        comments: let comments through and drop them; metadata written by hand has them.
        ids: which attributes may name an element is checked, and that each name is used once.
    """

    most_bytes: int
    most_depth: int
    most_elements: int
    most_attributes: int
    most_namespaces: int
    comments: bool = False
    ids: bool = True


MESSAGE: Final = Limits(MOST_BYTES, most_depth=24, most_elements=5_000, most_attributes=16, most_namespaces=32)
METADATA: Final = Limits(1024 * 1024, 24, 20_000, 32, 64, comments=True, ids=False)

_DECLARATION = re.compile(
    rb"""<\?xml\s+version=(?:"1\.0"|'1\.0')(?:\s+encoding=(?:"utf-8"|'utf-8'))?(?:\s+standalone=(?:"\w+"|'\w+'))?\s*\?>""",
    re.IGNORECASE,
)
_REFERENCE = re.compile(rb"&(?!(?:lt|gt|amp|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_NAMESPACE = re.compile(r"(?:urn:|https?://)[\x21-\x7e]+")
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_ID_ATTRIBUTES: Final = {SAML: "ID", SAMLP: "ID", DS: "Id", XENC: "Id", XENC11: "Id"}


def decode_message(text: str) -> bytes:
    """Decode the form field `SAMLResponse` (SAML bindings 3.5.4); line breaks are allowed, nothing else beside the alphabet.

    Raises:
        SamlRefused: (401 `saml_refused`).
    """
    if len(text) > _MOST_BASE64_CHARACTERS:
        raise SamlRefused(Refusal.TOO_LARGE)
    return decode_base64(text.replace("\r\n", "").replace("\n", ""), Refusal.NOT_BASE64)


def decode_base64(text: str, reason: Refusal) -> bytes:
    """Decode base64 in its one canonical form: another text for the same bytes is refused."""
    if not text or _BASE64.fullmatch(text) is None:
        raise SamlRefused(reason)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SamlRefused(reason) from error
    if base64.b64encode(content).decode() != text:
        raise SamlRefused(reason)
    return content


def decode_base64_element(element: Element, reason: Refusal) -> bytes:
    """Decode the text of an element of type base64Binary, which may be broken into lines (XML Schema 2, 3.2.16)."""
    return decode_base64("".join((element.text or "").split()), reason)


def parse(content: bytes, limits: Limits = MESSAGE) -> Element:
    """Parse a document.

    Raises:
        SamlRefused: (401 `saml_refused`).
    """
    _check_bytes(content, limits)
    parser = etree.XMLPullParser(
        ("start", "end", "comment", "pi"),
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        strip_cdata=False,
        remove_comments=limits.comments,
        collect_ids=False,
    )
    try:
        parser.feed(content)
        root = parser.close()
    except etree.LxmlError as error:
        raise SamlRefused(Refusal.NOT_WELL_FORMED) from error
    information = root.getroottree().docinfo
    if isinstance(information.internalDTD, etree.DTD) or isinstance(information.externalDTD, etree.DTD):
        raise SamlRefused(Refusal.MARKUP_FORBIDDEN)
    _check_events(parser.read_events(), limits)
    if limits.ids:
        _check_ids(root)
    return root


def _check_bytes(content: bytes, limits: Limits) -> None:
    if len(content) > limits.most_bytes:
        raise SamlRefused(Refusal.TOO_LARGE)
    if b"\x00" in content:
        raise SamlRefused(Refusal.NOT_UTF8)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SamlRefused(Refusal.NOT_UTF8) from error
    declaration = _DECLARATION.match(content)
    rest = content[declaration.end() :] if declaration else content
    if not declaration and content[:5].lower() == b"<?xml":
        raise SamlRefused(Refusal.NOT_UTF8)
    if not rest.lstrip(b" \t\r\n").startswith(b"<"):
        raise SamlRefused(Refusal.NOT_WELL_FORMED)
    if limits.comments:
        rest = rest.replace(b"<!--", b"")
    if b"<!" in rest or b"<?" in rest or _REFERENCE.search(rest):
        raise SamlRefused(Refusal.MARKUP_FORBIDDEN)


def _check_events(events: Iterable[tuple[str, object]], limits: Limits) -> None:
    depth = count = 0
    for event, found in events:
        if event == "end":
            depth -= 1
            continue
        if event != "start" or not isinstance(found, Element):
            raise SamlRefused(Refusal.MARKUP_FORBIDDEN)
        depth, count = depth + 1, count + 1
        if depth > limits.most_depth:
            raise SamlRefused(Refusal.TOO_DEEP)
        namespaces = found.nsmap
        if (
            count > limits.most_elements
            or len(found.attrib) > limits.most_attributes
            or len(namespaces) > limits.most_namespaces
        ):
            raise SamlRefused(Refusal.TOO_MANY_PARTS)
        # A relative namespace name makes libxml2 give up canonicalisation, and an empty text then has a digest, too.
        if not all(_NAMESPACE.fullmatch(uri) for uri in namespaces.values()):
            raise SamlRefused(Refusal.NAMESPACE_FORBIDDEN)


def _check_ids(root: Element) -> None:
    """Let an element be named by one attribute only, the one that its standard gives it, and each name be used once."""
    seen: set[str] = set()
    for element in root.iter():
        own = _ID_ATTRIBUTES.get(etree.QName(element).namespace or "")
        for name, value in element.attrib.items():
            if etree.QName(name).localname.lower() != "id":
                continue
            if name != own or _ID.fullmatch(str(value)) is None:
                raise SamlRefused(Refusal.ID_FORBIDDEN)
            if str(value) in seen:
                raise SamlRefused(Refusal.ID_REPEATED)
            seen.add(str(value))
