"""Versions of resources as weak entity tags. Source: RFC 7644 section 3.14, RFC 9110 sections 8.8 and 13.1.

SCIM's tags are weak, and its clients send them back in `If-Match`: so that header compares weakly here.
"""

from __future__ import annotations

import re
from typing import Final

from .errors import InvalidSyntax, VersionMismatch

_MOST_CHARACTERS: Final = 4_096
_TAG = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"\s*(?:W/)?{_TAG.pattern}\s*(?:,\s*(?:W/)?{_TAG.pattern}\s*)*")


def write_etag(version: int | str) -> str:
    """Return the tag of a version: `meta.version`, and the header `ETag`."""
    return f'W/"{version}"'


def check_if_match(header: str | None, current: str) -> None:
    """Let a change through only if it is of the version that the client knows; without the header, always.

    Args:
        header: `If-Match`.
        current: tag of the resource as it is.

    Raises:
        VersionMismatch: (412) it is of another version.
        InvalidSyntax: (400 `invalidSyntax`) not a list of tags.
    """
    if header is not None and not _names(header, current):
        raise VersionMismatch("If-Match names another version")


def is_not_modified(header: str | None, current: str) -> bool:
    """Say whether the client of a GET has this version (`If-None-Match`), so that 304 is the answer.

    Raises:
        InvalidSyntax: (400 `invalidSyntax`) not a list of tags.
    """
    return header is not None and _names(header, current)


def _names(header: str, current: str) -> bool:
    if header.strip() == "*":
        return True
    if len(header) > _MOST_CHARACTERS:
        raise InvalidSyntax("too many entity tags")
    if not _TAGS.fullmatch(header):
        raise InvalidSyntax("If-Match and If-None-Match are * or a list of entity tags")
    return current.removeprefix("W/").strip('"') in _TAG.findall(header)
