"""The one comment: which one is written over, when one is made, and how lists are read that are too large for one answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.analyze.code_hosts.comments import MOST_COMMENTS, put_comment, walk
from functions.analyze.code_hosts.exchange import Answer, TooMuch
from functions.analyze.errors import CodeHostRefused

MARK = "<!-- mark -->"


@dataclass
class Site:
    """Comments in memory, all of them our own."""

    comments: dict[int, Any] = field(default_factory=dict)
    listed: int = 0

    def update(self, comment_id: int, body: str) -> bool:
        if comment_id not in self.comments:
            return False
        self.comments[comment_id] = body
        return True

    def create(self, body: str) -> int:
        self.comments[100 + len(self.comments)] = body
        return max(self.comments)

    def list_own(self) -> Iterator[Mapping[str, Any]]:
        self.listed += 1
        for comment_id, body in list(self.comments.items()):
            yield {"id": comment_id, "body": body}


def test_a_known_comment_is_written_over_and_nothing_is_listed() -> None:
    site = Site({1: f"{MARK} old", 2: f"{MARK} other"})
    assert put_comment(site, 1, f"{MARK} new", MARK) == 1
    assert (site.comments[1], site.listed) == (f"{MARK} new", 0)


def test_the_oldest_with_the_mark_is_found() -> None:
    site = Site({1: "no mark", 2: f" {MARK}", 3: f"{MARK} a", 4: f"{MARK} b", 5: None})
    assert put_comment(site, None, f"{MARK} new", MARK) == 3
    assert len(site.comments) == 5


def test_what_is_gone_is_made_anew() -> None:
    site = Site({1: "no mark"})
    assert put_comment(site, 7, f"{MARK} new", MARK) not in {1, 7}
    assert len(site.comments) == 2


def pages(items: list[Any], most: int = 10**9) -> Any:
    """Return a fetcher of pages, each of which may hold so many characters."""

    def fetch(size: int, number: int) -> Answer:
        found = items[(number - 1) * size : number * size]
        if sum(len(str(item)) for item in found) > most:
            raise TooMuch
        return Answer(200, {}, found)

    return fetch


@pytest.mark.parametrize("number", [0, 1, 49, 50, 51, 100, 149])
def test_every_item_is_yielded_once(number: int) -> None:
    items = [{"id": index} for index in range(number)]
    assert list(walk(pages(items))) == items


@pytest.mark.parametrize("most", [700, 150, 40])
def test_pages_that_are_too_large_are_read_in_smaller_ones(most: int) -> None:
    items = [{"id": index} for index in range(120)]
    assert list(walk(pages(items, most))) == items


def test_an_item_that_is_too_large_is_left_out() -> None:
    items: list[dict[str, Any]] = [{"id": index} for index in range(60)]
    items[25] = {"id": 25, "body": "x" * 1000}
    assert [item["id"] for item in walk(pages(items, 500))] == [index for index in range(60) if index != 25]


def test_there_is_an_end_to_reading() -> None:
    asked: list[int] = []

    def fetch(size: int, number: int) -> Answer:
        asked.append(number)
        return Answer(200, {}, [{"id": 1}] * size)

    assert len(list(walk(fetch))) == MOST_COMMENTS
    assert len(asked) == MOST_COMMENTS // 50


@pytest.mark.parametrize("odd", [None, {}, "x", 7])
def test_what_is_no_list_is_not_taken_for_an_empty_one(odd: Any) -> None:
    with pytest.raises(CodeHostRefused):
        list(walk(lambda _size, _number: Answer(200, {}, odd)))
