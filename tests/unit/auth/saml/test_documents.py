"""Bytes that must never become a tree: markup, encodings, sizes, names; and the same tricks in a signed response."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable

import pytest

from functions.auth.errors import SamlRefused
from functions.auth.saml import documents
from functions.auth.saml.documents import METADATA, MOST_BYTES, decode_message, parse
from functions.auth.saml.reasons import Refusal
from tests.support.saml_scene import ANSWER, IDP, refusal

GOOD = IDP.respond(ANSWER)
FROM_DTD = b'<!DOCTYPE x [<!ENTITY e "mina"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def _inside(markup: str) -> Callable[[bytes], bytes]:
    """Put markup into the middle of the NameID."""
    return lambda content: content.replace(
        b"mina@acme.example</saml:NameID>", f"mina{markup}@acme.example</saml:NameID>".encode()
    )


def _start(markup: bytes) -> Callable[[bytes], bytes]:
    return lambda content: markup + content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_start(FROM_DTD), Refusal.MARKUP_FORBIDDEN),
        (_start(BOMB), Refusal.MARKUP_FORBIDDEN),
        (_start(b"<!DOCTYPE x>"), Refusal.MARKUP_FORBIDDEN),
        (_start(b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'), Refusal.MARKUP_FORBIDDEN),
        (_start(b'<?xml version="1.0"?><!DOCTYPE x>'), Refusal.MARKUP_FORBIDDEN),
        (_start(b"<!-- hello -->"), Refusal.MARKUP_FORBIDDEN),
        (_start(b'<?xml-stylesheet href="http://127.0.0.1:9/"?>'), Refusal.NOT_UTF8),
        (_start(b"<?php ?>"), Refusal.MARKUP_FORBIDDEN),
        (lambda content: content + b"<!-- bye -->", Refusal.MARKUP_FORBIDDEN),
        (lambda content: content + b"<?bye?>", Refusal.MARKUP_FORBIDDEN),
        (_inside("<!---->"), Refusal.MARKUP_FORBIDDEN),
        (_inside("<!-- x -->"), Refusal.MARKUP_FORBIDDEN),
        (_inside("<?x?>"), Refusal.MARKUP_FORBIDDEN),
        (_inside("<![CDATA[x]]>"), Refusal.MARKUP_FORBIDDEN),
        (_inside("&e;"), Refusal.MARKUP_FORBIDDEN),
        (_inside("&#0;"), Refusal.NOT_WELL_FORMED),
        (_inside("&#xFFFE;"), Refusal.NOT_WELL_FORMED),
        (_inside("&#xD800;"), Refusal.NOT_WELL_FORMED),
        (_inside("&#99999999;"), Refusal.MARKUP_FORBIDDEN),
        (_inside("&"), Refusal.MARKUP_FORBIDDEN),
        (_inside("\x00"), Refusal.NOT_UTF8),
        (_inside("\x01"), Refusal.NOT_WELL_FORMED),
        (_inside("\ufffe"), Refusal.NOT_WELL_FORMED),
        (lambda content: content.replace(b"mina@", b"min\xff@"), Refusal.NOT_UTF8),
        (lambda content: content.replace(b"mina@", b"min\xc0\xe1@"), Refusal.NOT_UTF8),
        (lambda content: content.replace(b"mina@", b"min\xed\xa0\x80@"), Refusal.NOT_UTF8),
        (lambda content: content.decode().encode("utf-16"), Refusal.NOT_UTF8),
        (lambda content: content.decode().encode("utf-16-le"), Refusal.NOT_UTF8),
        (lambda content: content.decode().encode("utf-32-be"), Refusal.NOT_UTF8),
        (lambda content: content.replace(b"<", b"+ADw-"), Refusal.NOT_WELL_FORMED),
        (lambda content: content.decode().encode("cp037"), Refusal.NOT_UTF8),
        (_start(b"\xef\xbb\xbf"), Refusal.NOT_WELL_FORMED),
        (_start(b'<?xml version="1.0" encoding="UTF-7"?>'), Refusal.NOT_UTF8),
        (_start(b'<?xml version="1.0" encoding="UTF-16"?>'), Refusal.NOT_UTF8),
        (_start(b'<?xml version="1.0" encoding="ISO-8859-1"?>'), Refusal.NOT_UTF8),
        (_start(b'<?xml version="1.1" encoding="UTF-8"?>'), Refusal.NOT_UTF8),
        (_start(b'<?xml version="1.0"?><?xml version="1.0"?>'), Refusal.MARKUP_FORBIDDEN),
        (_start(b"\n<?xml version='1.0'?>"), Refusal.MARKUP_FORBIDDEN),
        (lambda content: content + b"x", Refusal.NOT_WELL_FORMED),
        (lambda content: content + content, Refusal.NOT_WELL_FORMED),
        (lambda content: content[:-1], Refusal.NOT_WELL_FORMED),
        (lambda content: content + b" " * MOST_BYTES, Refusal.TOO_LARGE),
        (lambda _: b"", Refusal.NOT_WELL_FORMED),
        (lambda _: b" ", Refusal.NOT_WELL_FORMED),
        (lambda _: b"{}", Refusal.NOT_WELL_FORMED),
        (gzip.compress, Refusal.NOT_UTF8),
        (zlib.compress, Refusal.NOT_UTF8),
        (lambda _: b"<x/>", Refusal.NOT_A_RESPONSE),
        (lambda _: b"<x:y xmlns:x='urn:a' xmlns:z='urn:a' x:b='1' z:b='2'/>", Refusal.NOT_WELL_FORMED),
        (lambda _: b"<x b='1' b='2'/>", Refusal.NOT_WELL_FORMED),
        (lambda _: b"<unbound:x/>", Refusal.NOT_WELL_FORMED),
    ],
)  # fmt: skip
def test_what_is_not_plain_xml_is_refused(change: Callable[[bytes], bytes], reason: Refusal) -> None:
    assert refusal(change(GOOD)) is reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<x>" * 25 + b"</x>" * 25, Refusal.TOO_DEEP),
        (b"<x>" * 20_000 + b"</x>" * 20_000, Refusal.NOT_WELL_FORMED),
        (b"<x>" + b"<y/>" * 5_000 + b"</x>", Refusal.TOO_MANY_PARTS),
        (b"<x " + b" ".join(b"a%d='1'" % at for at in range(17)) + b"/>", Refusal.TOO_MANY_PARTS),
        (b"<x " + b" ".join(b"xmlns:a%d='urn:a'" % at for at in range(33)) + b"/>", Refusal.TOO_MANY_PARTS),
        (b"<x xmlns='relative'/>", Refusal.NAMESPACE_FORBIDDEN),
        (b"<x xmlns:a='1'/>", Refusal.NAMESPACE_FORBIDDEN),
        (b"<x xmlns:a='urn:a b'/>", Refusal.NOT_WELL_FORMED),
        ("<x xmlns:a='urn:ä'/>".encode(), Refusal.NOT_WELL_FORMED),
        (b"<x><y xmlns:a='./x'/></x>", Refusal.NAMESPACE_FORBIDDEN),
    ],
    ids=["deep", "very deep", "many", "attributes", "namespaces", "relative", "number", "space", "not ascii", "inner"],
)
def test_bounds_and_namespaces(content: bytes, reason: Refusal) -> None:
    with pytest.raises(SamlRefused) as caught:
        parse(content)
    assert caught.value.reason is reason


@pytest.mark.parametrize("content", [b"<x>" * 24 + b"</x>" * 24, b"<x>" + b"<y/>" * 4_999 + b"</x>"])
def test_the_bounds_themselves_are_allowed(content: bytes) -> None:
    assert parse(content).tag == "x"


ASSERTION_START = "<saml:Assertion ID="


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (ASSERTION_START, '<saml:Assertion Id="_a" ID=', Refusal.ID_FORBIDDEN),
        (ASSERTION_START, '<saml:Assertion id="_a" ID=', Refusal.ID_FORBIDDEN),
        (ASSERTION_START, '<saml:Assertion iD="_a" ID=', Refusal.ID_FORBIDDEN),
        (ASSERTION_START, '<saml:Assertion xml:id="_a" ID=', Refusal.ID_FORBIDDEN),
        (ASSERTION_START, '<saml:Assertion saml:ID="_a" ID=', Refusal.ID_FORBIDDEN),
        (ASSERTION_START, '<saml:Assertion wsu:Id="_a" xmlns:wsu="urn:wsu" ID=', Refusal.ID_FORBIDDEN),
        (ASSERTION_START, "<saml:Assertion Id=", Refusal.ID_FORBIDDEN),
        ("<ds:Signature ", f'<ds:Signature Id="{ANSWER.assertion_id}" ', Refusal.ID_REPEATED),
        ("<ds:Signature ", '<ds:Signature ID="_x" ', Refusal.ID_FORBIDDEN),
        ("<ds:SignatureValue>", f'<ds:SignatureValue Id="{ANSWER.response_id}">', Refusal.ID_REPEATED),
        ("<ds:KeyInfo>", f'<ds:KeyInfo Id="{ANSWER.assertion_id}">', Refusal.ID_REPEATED),
        (f'ID="{ANSWER.response_id}"', f'ID="{ANSWER.assertion_id}"', Refusal.ID_REPEATED),
        (f'ID="{ANSWER.response_id}"', 'ID=""', Refusal.ID_FORBIDDEN),
        (f'ID="{ANSWER.response_id}"', 'ID="1a"', Refusal.ID_FORBIDDEN),
        (f'ID="{ANSWER.response_id}"', 'ID="a b"', Refusal.ID_FORBIDDEN),
        (f'ID="{ANSWER.response_id}"', "ID=\"a'b\"", Refusal.ID_FORBIDDEN),
    ],
)  # fmt: skip
def test_an_element_has_one_name_and_a_name_one_element(old: str, new: str, reason: Refusal) -> None:
    assert old in GOOD.decode()
    assert refusal(GOOD.decode().replace(old, new, 1).encode()) is reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "PHg",
        "PHg+PC94Pg",
        "PHg+PC94Pg===",
        "PHgv=PHgv",
        "PHg-PC94Pg==",
        "PHg_PC94Pg==",
        " PHg+PC94Pg==",
        "PHg+ PC94Pg==",
        "PHg+\tPC94Pg==",
        "PHg+\rPC94Pg==",
        "PHg+\x00PC94Pg==",
        "PHg+%0APC94Pg==",
        "PHg+PC94Ph==",
        "PHg+é",
        "PHg+PC94Pg==PHg+",
    ],
)
def test_base64_with_anything_else_in_it(text: str) -> None:
    with pytest.raises(SamlRefused) as caught:
        decode_message(text)
    assert caught.value.reason is Refusal.NOT_BASE64


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_base64_may_be_broken_into_lines(line_end: str) -> None:
    text = base64.encodebytes(GOOD).decode().replace("\n", line_end)
    assert decode_message(text) == GOOD


def test_a_form_field_is_measured_before_it_is_decoded() -> None:
    with pytest.raises(SamlRefused) as caught:
        decode_message("A" * (MOST_BYTES * 2))
    assert caught.value.reason is Refusal.TOO_LARGE


def test_metadatas_comments_may_hide_nothing() -> None:
    root = parse(b"<!-- a --><x><y>one<!-- <z/> -->two</y></x>", METADATA)
    assert [child.tag for child in root] == ["y"]
    assert "".join(root[0].itertext()) == "onetwo"
    for content in (b"<!DOCTYPE x><x/>", b"<!-- <!DOCTYPE x> --><x/>", b"<x><![CDATA[y]]></x>", b"<x>&y;</x>"):
        with pytest.raises(SamlRefused) as caught:
            parse(content, METADATA)
        assert caught.value.reason is Refusal.MARKUP_FORBIDDEN


@pytest.mark.parametrize(
    "change",
    [
        _start(b"<!DOCTYPE x>"),
        _start(FROM_DTD),
        _start(b"<!-- hello -->"),
        _start(b"<?php ?>"),
        _inside("<!---->"),
        _inside("<?x?>"),
    ],
)
def test_the_tree_is_checked_too_should_the_bytes_ever_be_misread(
    change: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_check_bytes", lambda *_: None)
    with pytest.raises(SamlRefused) as caught:
        parse(change(GOOD))
    assert caught.value.reason is Refusal.MARKUP_FORBIDDEN
