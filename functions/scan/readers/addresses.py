"""Where calls to a cloud go: to the vendor's own hosts, or to one stand-in for all of them."""

from __future__ import annotations


def relocated(url: str, endpoint: str) -> str:
    """Return the URL with the origin of a stand-in, itself where there is none.

    Args:
        url: `https://host/path?query` of the vendor's documentation.
        endpoint: origin of the stand-in (`http://127.0.0.1:9000`), emulator only; empty otherwise.
    """
    if not endpoint:
        return url
    _, _, rest = url.removeprefix("https://").partition("/")
    return f"{endpoint.rstrip('/')}/{rest}"
