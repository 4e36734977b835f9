"""SCIM's messages, as far as the OpenAPI document tells of them; what counts are the schemas that `/Schemas` serves.

Source: RFC 7643 sections 4 to 7, RFC 7644 section 3.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_COUNT = "How many resources at the most; 200 is the largest page."


class Message(BaseModel):
    """Any message of SCIM: what it is stands in `schemas`."""

    model_config = ConfigDict(extra="allow")

    schemas: list[str] = Field(min_length=1)


class UserBody(Message):
    """A person as a directory sends them (RFC 7643 sections 4.1 and 4.3)."""

    userName: str = Field(min_length=1, max_length=320)
    externalId: str | None = Field(None, max_length=512)
    active: bool = True


class GroupBody(Message):
    """A group as a directory sends it (RFC 7643 section 4.2)."""

    displayName: str = Field(min_length=1, max_length=320)
    externalId: str | None = Field(None, max_length=512)
    members: list[dict[str, Any]] = []


class Resource(Message):
    """A resource as it is shown."""

    id: str


class PatchBody(Message):
    """Changes to a resource, all or none (RFC 7644 section 3.5.2)."""

    Operations: list[dict[str, Any]] = Field(min_length=1, max_length=1000)


class SearchBody(Message):
    """A query that does not stand in the address (RFC 7644 section 3.4.3)."""

    filter: str | None = None
    attributes: list[str] | None = None
    excludedAttributes: list[str] | None = None
    sortBy: str | None = None
    sortOrder: Literal["ascending", "descending"] | None = None
    startIndex: int | None = None
    count: int | None = Field(None, description=_COUNT)
    cursor: str | None = None


class BulkBody(Message):
    """Several changes in one request (RFC 7644 section 3.7)."""

    failOnErrors: int | None = Field(None, ge=1)
    Operations: list[dict[str, Any]]


class BulkAnswer(Message):
    """What became of each change."""

    Operations: list[dict[str, Any]]


class ListAnswer(Message):
    """One page of resources (RFC 7644 section 3.4.2)."""

    totalResults: int = Field(ge=0)
    Resources: list[dict[str, Any]] = []
    startIndex: int | None = None
    itemsPerPage: int | None = None
    nextCursor: str | None = None


class ShowQuery(BaseModel):
    """What is shown of a resource (RFC 7644 section 3.9)."""

    attributes: str | None = Field(None, description="Names, separated by commas.")
    excludedAttributes: str | None = Field(None, description="Names, separated by commas.")


class ListQuery(ShowQuery):
    """A query (RFC 7644 section 3.4.2, RFC 9865)."""

    filter: str | None = None
    sortBy: str | None = None
    sortOrder: str | None = Field(None, description="`ascending` or `descending`")
    startIndex: int | None = None
    count: int | None = Field(None, description=_COUNT)
    cursor: str | None = Field(None, description="Empty for the first page; then what the last page said.")
