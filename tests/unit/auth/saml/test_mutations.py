"""The law behind every attack test: whatever is done to a signed response, either it is refused or it says the same."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from functions.auth.errors import SamlRefused
from functions.auth.saml.models import Connection
from functions.auth.saml.responses import verify_response
from tests.support.saml_idp import Encryption, SamlIdp, ec_key, rsa_key
from tests.support.saml_scene import ANSWER, DECRYPTOR, EXPECTED, IDP

CURVE = SamlIdp(key=ec_key("mutations"))
CONNECTION = Connection(CURVE.entity_id, (CURVE.certificate,), allow_cbc=True)
FORGED = SamlIdp(IDP.entity_id, "forger's key").respond(ANSWER).decode()
RESPONSES = [
    CURVE.respond(ANSWER),
    CURVE.respond(ANSWER, sign_response=True),
    CURVE.respond(ANSWER, sign_response=True, encryption=Encryption(rsa_key("service provider").public_key())),
]
SAID = [verify_response(response, CONNECTION, EXPECTED, DECRYPTOR) for response in RESPONSES]
FRAGMENTS = [
    "<!---->", "<?x?>", "<![CDATA[owner]]>", "&#x0;", "&lt;", " ", "\n", "\t", "\r", "owner@acme.example", "\u202e", "/>", "<x/>",
    "</saml:NameID>", "<saml:NameID>", 'ID="_assertion-1"', ' Id="_assertion-1"', ' xmlns="urn:x"', ' xmlns:saml="urn:x"',
    ' xmlns:x="1"', "<ds:Transforms/>", "_assertion-1", "_response-1", "#", FORGED[FORGED.index("<saml:Assertion") : -len("</samlp:Response>")],
]  # fmt: skip


def holds(content: bytes, which: int) -> None:
    try:
        found = verify_response(content, CONNECTION, EXPECTED, DECRYPTOR)
    except SamlRefused:
        return
    assert found == SAID[which]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_text_that_is_cut_copied_or_put_in(data: st.DataObject) -> None:
    which = data.draw(st.integers(0, len(RESPONSES) - 1))
    text = RESPONSES[which].decode()
    for _ in range(data.draw(st.integers(1, 2))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 400)))
        target = data.draw(st.integers(0, len(text)))
        piece = text[start:end]
        what = data.draw(st.sampled_from(["cut", "copy", "move", "put", "replace"]))
        if what == "copy":
            text = text[:target] + piece + text[target:]
        elif what == "put":
            text = text[:start] + data.draw(st.sampled_from(FRAGMENTS)) + text[start:]
        elif what == "replace":
            text = text[:start] + data.draw(st.sampled_from(FRAGMENTS)) + text[end:]
        else:
            text = text[:start] + text[end:]
            text = text[:target] + piece + text[target:] if what == "move" else text
    holds(text.encode(), which)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_elements_that_are_copied_moved_renamed_or_taken_away(data: st.DataObject) -> None:
    """Here every document is well-formed, so that the refusals lie behind the parser."""
    which = data.draw(st.integers(0, len(RESPONSES) - 1))
    root = etree.fromstring(RESPONSES[which])
    for _ in range(data.draw(st.integers(1, 3))):
        elements = list(root.iter())
        element, other = (elements[data.draw(st.integers(0, len(elements) - 1))] for _ in range(2))
        what = data.draw(st.sampled_from(["copy", "move", "rename", "remove", "text", "attribute", "unattribute"]))
        parent = element.getparent()
        if what == "copy":
            other.insert(data.draw(st.integers(0, len(other))), deepcopy(element))
        elif what == "move" and parent is not None and element not in {other, *other.iterancestors()}:
            other.insert(data.draw(st.integers(0, len(other))), element)
        elif what == "rename":
            element.tag = other.tag
        elif what == "remove" and parent is not None:
            parent.remove(element)
        elif what == "text":
            element.text = data.draw(st.sampled_from(["", " ", "owner@acme.example", other.text or "x"]))
        elif what == "attribute" and other.attrib:
            name = data.draw(st.sampled_from(sorted(str(name) for name in other.attrib)))
            element.set(name, data.draw(st.sampled_from([str(other.get(name)), "_assertion-1", "x"])))
        elif what == "unattribute" and element.attrib:
            del element.attrib[data.draw(st.sampled_from(sorted(str(name) for name in element.attrib)))]
    holds(etree.tostring(root), which)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_refused(content: bytes) -> None:
    try:
        verify_response(content, CONNECTION, EXPECTED, DECRYPTOR)
    except SamlRefused:
        return
    raise AssertionError("it was taken")
