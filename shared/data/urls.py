"""Database URLs, taken apart and put together."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit


def with_login(url: str, user: str, password: str) -> str:
    """Return a URL that logs in as somebody else."""
    parts = urlsplit(url)
    place = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{place}"))
