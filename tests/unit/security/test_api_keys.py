"""API keys: their form, their checksum, their hash, and that nothing shows them."""

from __future__ import annotations

import copy
import json
import pickle
import re
import string
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.ports.clock import SystemEntropy
from shared.ports.secret_store import Secret
from shared.security.api_keys import PATTERN, PREFIX, ApiKey, hash_key, make_key, matches, parse_key
from shared.testing.clock import FixedEntropy

LETTERS = string.digits + string.ascii_letters
PEPPER, OTHER_PEPPER = Secret(b"p" * 32), Secret(b"q" * 32)
KEYS = st.integers(0, 2**32).map(lambda seed: make_key(FixedEntropy(str(seed))).reveal())


def test_a_key_has_its_published_form() -> None:
    key = make_key(SystemEntropy())
    assert re.fullmatch(r"dw2_[0-9A-Za-z]{48}", key.reveal())
    assert re.fullmatch(r"[0-9A-Za-z]{12}", key.public_id)
    assert len(key.secret.reveal()) == 30
    assert key.reveal().startswith(PREFIX + key.public_id)


@given(KEYS)
def test_a_key_is_taken_apart_into_what_it_was_made_of(text: str) -> None:
    key = parse_key(text)
    assert key is not None
    assert key.reveal() == text


@given(KEYS, st.integers(4, 51), st.sampled_from(LETTERS))
def test_the_checksum_catches_every_wrong_letter(text: str, place: int, letter: str) -> None:
    assume(text[place] != letter)
    assert parse_key(text[:place] + letter + text[place + 1 :]) is None


@given(KEYS, st.integers(4, 50))
def test_the_checksum_catches_every_pair_of_swapped_letters(text: str, place: int) -> None:
    assume(text[place] != text[place + 1])
    assert parse_key(text[:place] + text[place + 1] + text[place] + text[place + 2 :]) is None


def test_one_sample_is_checked_exhaustively() -> None:
    text = make_key(FixedEntropy()).reveal()
    wrong = {text[:place] + letter + text[place + 1 :] for place in range(len(text)) for letter in LETTERS + "_-. "} - {
        text
    }
    swapped = {text[:place] + text[place + 1] + text[place] + text[place + 2 :] for place in range(len(text) - 1)} - {
        text
    }
    assert [item for item in wrong | swapped if parse_key(item) is not None] == []


@given(st.text(max_size=60))
def test_no_text_by_chance_is_a_key(text: str) -> None:
    assert parse_key(text) is None
    assert parse_key(PREFIX + text) is None


@pytest.mark.parametrize("change", [" {}", "{} ", "{}\n", "{}x", "x{}", "\ufeff{}", "{}\x00"])
def test_what_stands_around_a_key_makes_it_none(change: str) -> None:
    assert parse_key(change.format(make_key(FixedEntropy()).reveal())) is None
    assert parse_key(make_key(FixedEntropy()).reveal().replace("dw2_", "DW2_")) is None
    assert parse_key("") is None


def test_scanners_find_whole_keys_and_only_those() -> None:
    text = make_key(FixedEntropy()).reveal()
    for around in (f"key={text}&x", f'"{text}"', text, f"\n{text}\n", f"x:{text},"):
        assert re.findall(PATTERN, around) == [text]
    for part_of_more in (f"a{text}", f"{text}0", text[:-1], text.replace("dw2_", "dw3_")):
        assert re.findall(PATTERN, part_of_more) == []


class CountedEntropy(SystemEntropy):
    """Gives every byte equally often, in turn."""

    def __init__(self) -> None:
        self._next = 0

    def token_bytes(self, size_bytes: int) -> bytes:
        start, self._next = self._next, self._next + size_bytes
        return bytes((start + step) % 256 for step in range(size_bytes))


def test_letters_are_drawn_without_bias() -> None:
    """256 is no multiple of 62: a plain remainder would give eight letters a quarter more."""
    entropy, drawn = CountedEntropy(), Counter[str]()
    for _ in range(400):
        key = make_key(entropy)
        drawn.update(key.secret.reveal().decode())
    assert set(drawn) == set(LETTERS)
    assert max(drawn.values()) / min(drawn.values()) < 1.15, drawn.most_common(10)


def test_keys_never_repeat() -> None:
    keys = [make_key(SystemEntropy()) for _ in range(2000)]
    assert len({key.public_id for key in keys}) == 2000
    assert len({key.secret.reveal() for key in keys}) == 2000


def test_entropy_that_gives_few_usable_bytes_still_ends_in_a_whole_key() -> None:
    class Poor(FixedEntropy):
        def token_bytes(self, size_bytes: int) -> bytes:
            return b"\xff" * (size_bytes - 1) + super().token_bytes(1)

    text = make_key(Poor()).reveal()
    assert parse_key(text) is not None


def test_the_hash_depends_on_secret_public_id_and_pepper() -> None:
    key, other = make_key(FixedEntropy("a")), make_key(FixedEntropy("b"))
    hashes = {
        hash_key(key, PEPPER),
        hash_key(key, OTHER_PEPPER),
        hash_key(other, PEPPER),
        hash_key(ApiKey(other.public_id, key.secret), PEPPER),
        hash_key(ApiKey(key.public_id, other.secret), PEPPER),
        hash_key(ApiKey(key.public_id[:-1], Secret(key.public_id[-1:].encode() + key.secret.reveal())), PEPPER),
    }
    assert len(hashes) == 6
    assert {len(item) for item in hashes} == {32}
    assert hash_key(key, PEPPER) == hash_key(key, PEPPER)


def test_a_key_matches_its_own_hash_only() -> None:
    key = make_key(FixedEntropy())
    stored = hash_key(key, PEPPER)
    assert matches(key, PEPPER, stored)
    for wrong in (bytes(32), b"", stored[:-1], stored + b"x", bytes([stored[0] ^ 1]) + stored[1:]):
        assert not matches(key, PEPPER, wrong)
    assert not matches(key, OTHER_PEPPER, stored)


def test_nothing_shows_a_secret_but_reveal() -> None:
    key = make_key(FixedEntropy())
    value = key.secret.reveal().decode()
    shown = [
        repr(key), str(key), f"{key}", f"{key!r:>5}", "{}".format(key), "%s" % key, "%r" % (key,),  # noqa: UP030, UP031, UP032
        repr(key.secret), str(key.secret), f"{key.secret}", repr([key.secret]), repr({"secret": key.secret}),
        json.dumps({"secret": key.secret}, default=str), repr(ValueError(key.secret)), repr(vars(type(key.secret))),
    ]  # fmt: skip
    assert [text for text in shown if value in text or key.reveal() in text] == []


def test_a_secret_cannot_be_pickled_copied_or_made_json() -> None:
    key = make_key(FixedEntropy())
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for item in (key, key.secret, [key.secret]):
            with pytest.raises(TypeError):
                pickle.dumps(item, protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(key.secret)
    with pytest.raises(TypeError):
        json.dumps(key.secret)
    assert not hasattr(key.secret, "__dict__")
