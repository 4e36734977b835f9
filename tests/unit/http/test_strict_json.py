"""JSON bodies: what is doubtful is refused, and nothing makes the parser fail in another way."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.errors import MalformedRequest
from shared.http.strict_json import parse_json

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_what_json_can_say_is_read_as_it_was_written(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


REFUSED = {
    "the same member twice": b'{"a":1,"a":2}',
    "the same member twice, escaped": b'{"a":1,"\\u0061":2}',
    "the same member twice, deep down": b'{"x":[{"a":1,"a":1}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"-Infinity",
    "a number past every float": b"[1e999]",
    "a negative number past every float": b"[-1e999]",
    "an integer of 5,000 digits": b"9" * 5000,
    "100,000 lists": b"[" * 100_000,
    "100,000 lists, closed": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "Latin-1": '{"name":"Müller"}'.encode("latin-1"),
    "half a UTF-8 character": b'{"a":"\xc3"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "an overlong slash": b'{"a":"\xc0\xaf"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a":1}'.encode("utf-16-le"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "the other half": b'{"a":"x\\udc00"}',
    "half a pair in a name": b'{"\\uD83D":1}',
    "NUL": b'{"a":"b\\u0000c"}',
    "NUL in a name": b'[[{"\\u0000":1}]]',
    "a bare NUL": b'{"a":"\x00"}',
    "a bare line break": b'{"a":"\n"}',
    "single quotes": b"{'a':1}",
    "a trailing comma": b'{"a":1,}',
    "a comment": b"{} // note",
    "two documents": b"{}{}",
    "a leading zero": b"[01]",
    "hexadecimal": b"[0x10]",
    "nothing but space": b" ",
    "a word": b"nul",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_doubtful_json_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse_json(content)
    assert caught.value.status == 400
    assert caught.value.detail


@pytest.mark.parametrize(
    "content, value",
    [
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\u0000"', "\\u0000"),
        (b' {"a" : 1.0 }\n', {"a": 1.0}),
        (b"[1e308]", [1e308]),
    ],
)
def test_what_only_looks_doubtful_is_taken(content: bytes, value: Any) -> None:
    assert parse_json(content) == value


def test_the_place_of_an_error_is_named() -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse_json(b'{\n "a": x}')
    assert caught.value.facts == {"line": 2, "column": 7}


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_in_another_way(content: bytes) -> None:
    try:
        parse_json(content)
    except MalformedRequest:
        return


def nested(depth: int, opening: bytes = b"[", inner: bytes = b"", closing: bytes = b"]") -> bytes:
    return opening * depth + inner + closing * depth


@pytest.mark.parametrize(
    "opening, inner, closing", [(b"[", b"", b"]"), (b'{"a":', b"1", b"}"), (b'[{"]}":', b"1", b"}]")]
)
def test_json_may_be_a_hundred_levels_deep(opening: bytes, inner: bytes, closing: bytes) -> None:
    most = 100 // (opening.count(b"[") + opening.count(b"{"))
    parse_json(nested(most, opening, inner, closing))
    with pytest.raises(MalformedRequest, match="nested"):
        parse_json(nested(most + 1, opening, inner, closing))


def test_brackets_in_texts_and_beside_each_other_are_not_depth() -> None:
    text = '[{"' * 500 + "\\" + '"' * 3
    assert parse_json(json.dumps([text, [[]] * 400]).encode()) == [text, [[]] * 400]
    assert parse_json(json.dumps({text: [text] * 3}).encode()) == {text: [text] * 3}
    assert parse_json(json.dumps(["[{" * 500] * 3).encode()) == ["[{" * 500] * 3


@pytest.mark.parametrize(
    "one, wrapped",
    [(b"1", b"[%s]"), (b"{}", b"[%s]"), (b'""', b'{"a":[%s]}'), (b'"a,b,c,[{"', b"[%s]"), (b"[]", b"[%s]")],
)
def test_members_and_elements_are_counted(one: bytes, wrapped: bytes) -> None:
    weight = 2 if one in {b"{}", b"[]"} else 1  # an element, and what it could hold
    around = wrapped.count(b"[") + wrapped.count(b"{") - 1

    def body(number: int) -> bytes:
        return wrapped % b",".join([one] * number)

    fits = (1000 - around) // weight
    parse_json(body(fits), most_members=1000)
    with pytest.raises(MalformedRequest, match="more than 1000"):
        parse_json(body(fits + 1), most_members=1000)


@pytest.mark.parametrize("number", [b"9" * 100, b"-" + b"9" * 100, b"0." + b"3" * 98])
def test_a_number_has_at_most_a_hundred_digits(number: bytes) -> None:
    assert parse_json(b"[%s]" % number) == json.loads(b"[%s]" % number)
    for longer in (number + b"0", number + b"0" * 5000):
        with pytest.raises(MalformedRequest, match="digits"):
            parse_json(b"[%s]" % longer)
    text = "1" * 5000
    assert parse_json(json.dumps([text, 7]).encode()) == [text, 7]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_within_the_caps_is_read_as_it_is(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if "\\u0000" not in text and not re.search("[\ud800-\udfff]", text):
        assert parse_json(text.encode()) == value
