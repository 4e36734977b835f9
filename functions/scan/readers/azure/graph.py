"""Tables of Resource Graph by pages: each row once, from where an earlier turn ended, and read again when the rows do not add up.

Pages shift while something is made or deleted, and a token may be refused later: Azure says of neither how it goes. So a pass through a
table counts what it gave; one that is not whole is made again, and one whose token is not taken any more begins anew.
Source: Azure Resource Graph documentation, "Guidance for pagination"; Azure Resource Provider contract, "GET pagination" (a token that
is not valid is answered 400).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

from ...types.azure.ids import key_of
from ...types.azure.mapping import Row
from .client import PAGE_ROWS, PAGE_SIZES, AnswerTooLarge, Arm, CallFailed, PageRefused

MOST_PAGES: Final = 5000
MOST_PASSES: Final = 2
MOST_RESTARTS: Final = 3
REMEMBERED: Final = 256
"""Rows that are known again in the next turn: by so many a page may shift between two turns without counting twice."""
_LONGEST_TOKEN: Final = 8192


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pass through a table goes on; small enough to be kept between turns.

    Attributes:
        token: of the next page; empty for the first one.
        page_rows: rows of a page; a token keeps the size of its pages.
        pages: how many this pass had.
        rows: how many rows those gave, each once.
        lowest: fewest rows that the table was said to have during this pass; None before its first page.
        highest: most rows.
        passes: how many there were before.
        restarts: how often a token was not taken any more.
        last: digests of the rows that were given last.
    """

    token: str = ""
    page_rows: int = PAGE_ROWS
    pages: int = 0
    rows: int = 0
    lowest: int | None = None
    highest: int = 0
    passes: int = 0
    restarts: int = 0
    last: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Place:
        """Read a place from what was kept of it (`dataclasses.asdict`, through JSON)."""
        return replace(cls(**document), last=tuple(document["last"]))

    @property
    def is_whole(self) -> bool:
        """Say whether the pass that ended here gave whatever was there.

        Something that is deleted moves others onto a page that was read: then fewer rows are given than there ever were. Where
        things come and go all the time no pass adds up to the highest count; of the last one only the lowest is asked for.
        """
        has_moved = self.lowest is not None and self.lowest < self.highest
        least = self.lowest if has_moved and self.passes + 1 >= MOST_PASSES else self.highest
        return self.rows >= (least or 0)


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        rows: those that were not given before.
        following: where a later turn can go on after it; None at the end, and where it cannot.
    """

    rows: Sequence[Row]
    following: Place | None


def rows_of(arm: Arm, subscription: str, query: str) -> Iterator[Row]:
    """Yield the rows of a query, each id once; arguments and errors as below."""
    for page in pages_of(arm, subscription, query):
        yield from page.rows


def pages_of(arm: Arm, subscription: str, query: str, begin: Place | None = None) -> Iterator[Page]:
    """Yield the pages of a query.

    Args:
        arm: signed in.
        subscription: id of the subscription that is asked about.
        query: in KQL; must project `id` and be ordered by it, as pages come in no order otherwise.
        begin: where an earlier turn ended; None for the first one.

    Raises:
        CallFailed: a page is missing; what was yielded before is there, and what was not may be there too.
    """
    yield from _Table(arm, subscription, query).pages(begin or Place(page_rows=arm.page_rows))


@dataclass(slots=True)
class _Table:
    """One query in one turn.

    Attributes:
        given: digests of the rows that were yielded in this turn.
        counted: digests of those that count for this pass.
    """

    arm: Arm
    subscription: str
    query: str
    given: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)

    def pages(self, place: Place) -> Iterator[Page]:
        self.given.update(place.last)
        self.counted.update(place.last)
        following: Place | None = place
        while following is not None:
            place = following
            try:
                rows, place = self._page(place)
            except AnswerTooLarge:
                following = self._begun_again(replace(place, page_rows=_smaller(place.page_rows)))
                continue
            except PageRefused:
                if not place.token or place.restarts >= MOST_RESTARTS:
                    raise
                following = self._begun_again(replace(place, restarts=place.restarts + 1))
                continue
            following = place if place.token else self._next_pass(place)
            is_kept = following is not None and len(following.token) <= _LONGEST_TOKEN
            yield Page(rows, following if is_kept else None)
            if following is None and not place.is_whole:
                raise CallFailed("unavailable", f"Resource Graph told of {place.highest} rows and gave {place.rows}")

    def _page(self, place: Place) -> tuple[list[Row], Place]:
        """Return the rows of a page that were not given before, and the place behind it."""
        if place.pages >= MOST_PAGES:
            raise CallFailed("unavailable", f"Resource Graph has more than {MOST_PAGES} pages")
        answer = self.arm.page(self.subscription, self.query, place.token, place.page_rows)
        digests = [_digest(row) for row in answer.rows]
        fresh = self._count(digests)
        place = replace(
            place,
            token=answer.following,
            pages=place.pages + 1,
            rows=place.rows + fresh,
            lowest=answer.total if place.lowest is None else min(place.lowest, answer.total),
            highest=max(place.highest, answer.total),
            last=(*place.last, *digests)[-REMEMBERED:],
        )
        return list(self._not_given(answer.rows, digests)), place

    def _count(self, digests: Iterable[str]) -> int:
        before = len(self.counted)
        self.counted.update(digests)
        return len(self.counted) - before

    def _not_given(self, rows: Iterable[Row], digests: Iterable[str]) -> Iterator[Row]:
        for row, digest in zip(rows, digests, strict=True):
            if digest not in self.given:
                self.given.add(digest)
                yield row

    def _next_pass(self, place: Place) -> Place | None:
        """Return where the next pass begins; None when there is none."""
        if place.is_whole or place.passes + 1 >= MOST_PASSES:
            return None
        return self._begun_again(replace(place, passes=place.passes + 1))

    def _begun_again(self, place: Place) -> Place:
        self.counted.clear()
        self.arm.page_rows = place.page_rows  # the next query starts with what fits
        return Place(page_rows=place.page_rows, passes=place.passes, restarts=place.restarts)


def _smaller(page_rows: int) -> int:
    """Return the next smaller size of pages.

    Raises:
        CallFailed: there is none.
    """
    for rows in PAGE_SIZES:
        if rows < page_rows:
            return rows
    raise CallFailed("unavailable", f"{PAGE_SIZES[-1]} rows are more than Resource Graph gives at once")


def _digest(row: Row) -> str:
    key = key_of(row.get("id"))
    if key is None:
        raise CallFailed("malformed", "Resource Graph gave a row without an id")
    return blake2b(key.encode(), digest_size=8).hexdigest()
