"""One comment on a pull request, updated in place: by its id, else found by our mark among our own, else made anew. Knows no vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from ..errors import CodeHostRefused
from .exchange import Answer, TooMuch

# GitHub ends a conversation at 2,500 comments and GitLab at 5,000: whoever has read so many has seen them all.
MOST_COMMENTS: Final = 5_000
_PAGE_SIZES: Final = (50, 10, 1)  # each a part of the one before, so that a page can be asked for in smaller ones


class CommentSite(Protocol):
    """Where comments on one pull request are written."""

    def update(self, comment_id: int, body: str) -> bool:
        """Write a comment over; False when it is gone."""
        ...

    def create(self, body: str) -> int:
        """Make a comment; returns its id."""
        ...

    def list_own(self) -> Iterator[Mapping[str, Any]]:
        """List the comments that these very credentials wrote, oldest first."""
        ...


def put_comment(site: CommentSite, known_id: int | None, body: str, mark: str) -> int:
    """Write the one comment; returns its id.

    Args:
        site: where.
        known_id: which comment is ours, None when it is not known (any more).
        body: begins with the mark.
        mark: by which a comment of ours is found again.
    """
    if known_id is not None and site.update(known_id, body):
        return known_id
    for comment in site.list_own():
        found, text = comment.get("id"), comment.get("body")
        if not isinstance(found, int) or found == known_id or not isinstance(text, str) or not text.startswith(mark):
            continue
        if site.update(found, body):
            return found
    return site.create(body)


def walk(fetch: Callable[[int, int], Answer]) -> Iterator[Mapping[str, Any]]:
    """Yield a list's items page by page; a page that is too large is asked for in smaller ones, an item that is is left out.

    Args:
        fetch: asks for a page of a size, `(size, number from 1)`.
    """
    sizes = iter(_PAGE_SIZES)
    size, position = next(sizes), 0
    while position < MOST_COMMENTS:
        try:
            found = fetch(size, position // size + 1).document
        except TooMuch:
            smaller = next(sizes, None)
            if smaller is None:  # one comment of its own that is larger than any of ours
                position += 1
            size = smaller or size
            continue
        if not isinstance(found, list):  # not "no more": what cannot be read may hold ours
            raise CodeHostRefused(member="list")
        yield from (item for item in found if isinstance(item, Mapping))
        if len(found) < size:
            return
        position += size
