"""Keyset paging: `limit` and `cursor` in, `items` and `next_cursor` out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.storable import is_storable

from .errors import Invalid

DEFAULT_LIMIT, MOST_LIMIT = 50, 200
_SEQ_BYTES = 8


class KeysetQuery(BaseModel):
    """Query of a list call: the page size, and where the last page ended."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MOST_LIMIT)
    cursor: str | None = Field(None, max_length=100)

    def after_id(self) -> UUID | None:
        """Return the id the page starts behind.

        Raises:
            Invalid: (422 `invalid`) the cursor is not one of ours.
        """
        if self.cursor is None:
            return None
        try:
            found = UUID(bytes=base64.urlsafe_b64decode(self.cursor + "=="))
        except ValueError as error:
            raise _refused() from error
        if write_cursor(found) != self.cursor:  # the decoder skips what it does not know
            raise _refused()
        return found


class PageQuery(KeysetQuery):
    """Query of a list call that older clients page through by number."""

    offset: int = Field(0, ge=0, le=10_000, description="Accepted for older clients; `cursor` is faster and exact.")


class TextPageQuery(BaseModel):
    """Query of a list call in order of the alphabet."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MOST_LIMIT)
    cursor: str | None = Field(None, max_length=400)

    def after_text(self) -> str | None:
        """Return the text that the page starts behind.

        Raises:
            Invalid: (422 `invalid`) the cursor is not one of ours.
        """
        if self.cursor is None:
            return None
        try:
            found = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)).decode()
        except ValueError as error:
            raise _refused() from error
        if write_text_cursor(found) != self.cursor or not is_storable(found):
            raise _refused()
        return found


class SeqPageQuery(BaseModel):
    """Query of a list call over a numbered log, newest first."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MOST_LIMIT)
    cursor: str | None = Field(None, max_length=100)

    def before_seq(self) -> int | None:
        """Return the number the page starts below.

        Raises:
            Invalid: (422 `invalid`) the cursor is not one of ours.
        """
        if self.cursor is None:
            return None
        try:
            content = base64.urlsafe_b64decode(self.cursor + "=")
        except ValueError as error:
            raise _refused() from error
        found = int.from_bytes(content, "big")
        if len(content) != _SEQ_BYTES or found >= 1 << 63 or write_seq_cursor(found) != self.cursor:
            raise _refused()
        return found


def write_seq_cursor(last_seq: int) -> str:
    """Return the cursor of a page that ended with this number."""
    return base64.urlsafe_b64encode(last_seq.to_bytes(_SEQ_BYTES, "big")).rstrip(b"=").decode()


def seq_page(
    rows: Sequence[Mapping[str, Any]], query: SeqPageQuery, view: Callable[[Mapping[str, Any]], BaseModel]
) -> dict[str, Any]:
    """Make the reply of a list call over a numbered log; as `page`, with rows in falling order of `seq`."""
    shown = rows[: query.limit]
    last = write_seq_cursor(shown[-1]["seq"]) if len(rows) > query.limit and shown else None
    return {"items": [view(row).model_dump(mode="json") for row in shown], "next_cursor": last}


def write_cursor(last_id: UUID) -> str:
    """Return the cursor of a page that ended with this id."""
    return base64.urlsafe_b64encode(last_id.bytes).rstrip(b"=").decode()


def write_text_cursor(last_text: str) -> str:
    """Return the cursor of a page that ended with this text."""
    return base64.urlsafe_b64encode(last_text.encode()).rstrip(b"=").decode()


def text_page(
    rows: Sequence[Mapping[str, Any]], query: TextPageQuery, view: Callable[[Mapping[str, Any]], BaseModel], *, by: str
) -> dict[str, Any]:
    """Make the reply of a list call in order of the column `by`; as `page`."""
    shown = rows[: query.limit]
    last = write_text_cursor(shown[-1][by]) if len(rows) > query.limit and shown else None
    return {"items": [view(row).model_dump(mode="json") for row in shown], "next_cursor": last}


def page(
    rows: Sequence[Mapping[str, Any]], query: KeysetQuery, view: Callable[[Mapping[str, Any]], BaseModel]
) -> dict[str, Any]:
    """Make the reply of a list call.

    Args:
        rows: at most `limit + 1` rows in order of `id`; the one too many says that there is a next page.
        query: the call's query.
        view: makes the public form of a row.
    """
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    last = write_cursor(shown[-1]["id"]) if more and shown else None
    return {"items": [view(row).model_dump(mode="json") for row in shown], "next_cursor": last}


def _refused() -> Invalid:
    return Invalid("see `errors` for each field", errors=[{"field": "cursor", "problem": "not a cursor of this list"}])
