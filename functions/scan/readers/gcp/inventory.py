"""Cloud Asset Inventory's ListAssets: pages in order, within the quota, with patience; what fails is told and stops nothing else.

Owns the calls and what their answers mean; must not know any type. Every call goes through the port it is given.
Source: https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list;
https://cloud.google.com/asset-inventory/docs/quota; https://cloud.google.com/apis/design/errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias
from urllib.parse import quote, urlencode

from shared.ports.clock import Clock

from ..aws.pace import Pace

Content: TypeAlias = Literal["RESOURCE", "IAM_POLICY"]

API: Final = "https://cloudasset.googleapis.com/v1"
PERMISSIONS: Final[Mapping[str, str]] = {
    "RESOURCE": "cloudasset.assets.listResource",
    "IAM_POLICY": "cloudasset.assets.listIamPolicy",
}
PAGE_SIZE: Final = 1000
CALLS_PER_MINUTE: Final = 90  # of the 100 that a project may make; a burst counts within the minute
MOST_PAGES: Final = 5000
_BURST: Final = 10
_MOST_ATTEMPTS: Final = 6
_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_MOST_VALUES: Final = 4_000_000  # commas and brackets of one page
_MOST_TOKEN: Final = 8192
_MOST_DIGITS: Final = 6
_PARENT = re.compile(r"(?:projects/[a-z0-9.:-]{1,64}|(?:folders|organizations)/\d{1,25})")
_PERMISSION = re.compile(r"\b(?:cloudasset\.assets|serviceusage\.services)\.[A-Za-z]{1,40}\b")
_OK, _UNAUTHORISED, _FORBIDDEN, _THROTTLED = 200, 401, 403, 429
_BUSY = frozenset({408, _THROTTLED, 500, 502, 503, 504})
_QUOTA_PERMISSION = "serviceusage.services.use"


class Answer(Protocol):
    """What came back over HTTP."""

    @property
    def status(self) -> int:
        """Return the status code."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers, names in lower case."""
        ...

    @property
    def content(self) -> bytes:
        """Return the body, of a bounded size."""
        ...


class Google(Protocol):
    """Asks Google, as a customer's identity. The implementation goes through the egress guard and holds the token."""

    def get(self, url: str) -> Answer | None:
        """Return the answer; None when there was none in time, or one beyond the bound.

        Args:
            url: of this module's API, every piece of it quoted.
        """
        ...


class Failed(Exception):
    """A listing could not be read to its end.

    Attributes:
        reason: stable word of `NotChecked.reason`.
        permission: the missing permission, when that is the reason.
        detail: one sentence for people, without anything a stranger wrote.
    """

    def __init__(self, reason: str, permission: str | None, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.permission = permission
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Page:
    """One page of assets.

    Attributes:
        read_time: of the snapshot, RFC 3339; the same for all pages of a listing.
        assets: as they came, each a JSON object or whatever came in its place.
        following: token of the next page; empty on the last one.
    """

    read_time: str
    assets: Sequence[object]
    following: str = ""


class Inventory:
    """One parent's assets. All listings of one object share its pace, and the time of the first one's snapshot."""

    def __init__(self, google: Google, clock: Clock, parent: str, *, read_time: str = "") -> None:
        """Set up; asks nothing.

        Args:
            google: the way out.
            clock: waits between calls.
            parent: `projects/ID`, `folders/NUMBER` or `organizations/NUMBER`.
            read_time: of a snapshot that is read on, RFC 3339; empty for a new one.

        Raises:
            ValueError: it is none of these.
        """
        if not _PARENT.fullmatch(parent):
            raise ValueError("not a parent of assets")
        self._google = google
        self._clock = clock
        self._parent = parent
        self._pace = Pace(CALLS_PER_MINUTE / 60, _BURST, now=clock.monotonic_seconds, sleep=clock.sleep_seconds)
        self._read_time = read_time

    @property
    def read_time(self) -> str:
        """Return when the snapshot was taken; empty before the first page."""
        return self._read_time

    def pages(self, content: Content, kinds: Sequence[str] = (), *, begin: str = "") -> Iterator[Page]:
        """Yield every page.

        Args:
            content: what is asked of each asset.
            kinds: asset types; all when empty.
            begin: token of the page to go on with; empty for the first one.

        Raises:
            Failed: refused, unreachable or not in the API's form; what was yielded before stays true.
        """
        token: Any = begin
        seen, read_at = set[str](), self._read_time  # all pages of a listing are asked for alike
        for _ in range(MOST_PAGES):
            found = self._page(content, kinds, token, read_at)
            read_time, assets = found.get("readTime"), found.get("assets", [])
            if not isinstance(assets, list) or len(assets) > PAGE_SIZE:
                raise _malformed("the list of assets is none")
            if not self._read_time and isinstance(read_time, str):
                self._read_time = read_time[:40]
            token = "" if found.get("nextPageToken") is None else found["nextPageToken"]
            is_token = isinstance(token, str) and len(token) <= _MOST_TOKEN and token not in seen
            yield Page(self._read_time, assets, token if is_token else "")
            if token == "":
                return
            if not is_token:
                raise _malformed("the token of the next page is none, or came before")
            seen.add(token)
        raise Failed("unavailable", None, f"ListAssets has more than {MOST_PAGES} pages")

    def _page(self, content: Content, kinds: Sequence[str], token: str, read_at: str) -> Mapping[str, Any]:
        query: list[tuple[str, str]] = [("contentType", content), ("pageSize", str(PAGE_SIZE))]
        query += [("assetTypes", kind) for kind in kinds]
        query += [("readTime", read_at)] if read_at else []
        query += [("pageToken", token)] if token else []
        url = f"{API}/{quote(self._parent, safe='/:')}/assets?{urlencode(query, quote_via=quote)}"
        answer = self._patiently(url)
        if answer.status != _OK:
            raise _refusal(answer, content)
        return _parsed(answer.content)

    def _patiently(self, url: str) -> Answer:
        answer: Answer | None = None
        for attempt in range(_MOST_ATTEMPTS):
            self._pace.take()
            answer = self._google.get(url)
            if answer is not None and answer.status not in _BUSY:
                return answer
            if answer is not None and answer.status == _THROTTLED:
                self._pace.slow_down()
            if attempt < _MOST_ATTEMPTS - 1:
                self._clock.sleep_seconds(_pause(answer, attempt))
        if answer is None:
            raise Failed("unavailable", None, "ListAssets does not answer")
        reason = "throttled" if answer.status == _THROTTLED else "unavailable"
        raise Failed(reason, None, f"ListAssets answered {answer.status}")


def _pause(answer: Answer | None, attempt: int) -> float:
    asked = answer.headers.get("retry-after", "") if answer else ""
    if asked.isascii() and asked.isdecimal() and len(asked) <= _MOST_DIGITS:
        return min(float(asked), _LONGEST_PAUSE_SECONDS)
    return min(_FIRST_PAUSE_SECONDS * 2.0**attempt, _LONGEST_PAUSE_SECONDS)


def _parsed(content: bytes) -> Mapping[str, Any]:
    is_bounded = content.count(b",") + content.count(b"{") + content.count(b"[") <= _MOST_VALUES
    try:
        found = json.loads(content) if is_bounded else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _malformed("the answer is no JSON object within the bounds")
    return found


def _refusal(answer: Answer, content: Content) -> Failed:
    """Say why a call was refused: a right that is missing, an API that is off, or something else."""
    status, said, reasons = _error_of(answer.content)
    if answer.status == _FORBIDDEN and "SERVICE_DISABLED" in reasons:
        return Failed(
            "not_enabled", None, "the Cloud Asset API is not enabled in the project that the calls are made for"
        )
    if answer.status == _FORBIDDEN:
        named = _PERMISSION.search(said)
        permission = named[0] if named else PERMISSIONS[content]
        if "USER_PROJECT_DENIED" in reasons:
            permission = _QUOTA_PERMISSION
        return Failed("access_denied", permission, f"ListAssets ({content}) answered PERMISSION_DENIED")
    if answer.status == _UNAUTHORISED:
        return Failed("access_denied", None, "Google does not accept the access token")
    return Failed("unavailable", None, f"ListAssets answered {answer.status} {status}".rstrip())


def _error_of(content: bytes) -> tuple[str, str, frozenset[str]]:
    """Read status, message and reasons of an error; each empty when it is not in the documented form."""
    try:
        error = json.loads(content[:65536]).get("error", {})
        details = error.get("details", [])
        reasons = frozenset(str(item.get("reason")) for item in details[:20] if isinstance(item, dict))
        status = str(error.get("status", ""))
        return (status if re.fullmatch(r"[A-Z_]{1,40}", status) else "", str(error.get("message", ""))[:4000], reasons)
    except (ValueError, RecursionError, AttributeError, TypeError):
        return ("", "", frozenset())


def _malformed(detail: str) -> Failed:
    return Failed("malformed", None, f"ListAssets: {detail}")
