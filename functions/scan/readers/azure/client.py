"""Azure Resource Manager over HTTP: a page of Resource Graph, lists by links, patience for limits, strange answers bounded.

The way out is a port given from outside, which signs calls and goes through the egress guard. Nothing that a stranger answered
gets into an error but the action that it says is missing.
Source: Azure REST API, "Resource Graph - Resources" (2022-10-01); Azure Resource Graph documentation, "Guidance for throttled
requests", "Guidance for pagination"; Azure Resource Manager documentation, "Understand how Azure Resource Manager throttles
requests".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from shared.ports.clock import Clock

from ...types.azure.mapping import Row

BASE: Final = "https://management.azure.com"
GRAPH: Final = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
PAGE_ROWS: Final = 1000
# Resource Graph answers with 16 MiB at most; a thousand large resources are more, and it says so instead of cutting off.
PAGE_SIZES: Final = (PAGE_ROWS, 200, 40, 8)
MOST_LIST_PAGES: Final = 100
MOST_BYTES: Final = 32 * 1024 * 1024
_MOST_VALUES: Final = 2_000_000
_MOST_ATTEMPTS: Final = 6
_LONGEST_PAUSE_SECONDS: Final = 60.0
_BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
_ACTION = re.compile(rb"perform action '(Microsoft\.[A-Za-z0-9./]{1,200})'")
_RESET = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:\.\d{1,9})?")
_MOST_DIGITS: Final = 6
_LONGEST_LINK: Final = 8192


@dataclass(frozen=True, slots=True)
class ArmReply:
    """One answer.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        content: the body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


class ArmHttp(Protocol):
    """Makes signed calls to Azure Resource Manager."""

    def send(self, method: str, path: str, body: bytes = b"") -> ArmReply | None:
        """Make one call, once.

        Args:
            method: `GET` or `POST`.
            path: with its query, from the host on.
            body: JSON.

        Returns:
            The answer, None when there was none in time.
        """
        ...


class CallFailed(Exception):
    """A call that gave nothing.

    Attributes:
        reason: stable word of `NotChecked.reason`.
        permission: the action that is missing, when that is why.
        detail: one sentence for people, without anything that a stranger wrote.
    """

    def __init__(self, reason: str, detail: str, permission: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.permission = permission
        self.detail = detail


class AnswerTooLarge(CallFailed):
    """An answer that Azure does not give, as it would be larger than its limit."""


class PageRefused(CallFailed):
    """A page that is not given as it was asked for: where it has a token, that is not taken any more."""


@dataclass(frozen=True, slots=True)
class GraphPage:
    """One page of Resource Graph.

    Attributes:
        rows: as many as there are, in the order that was asked for.
        total: how many rows the query has, as it says now.
        following: token of the next page; empty for the last one.
    """

    rows: Sequence[Row]
    total: int
    following: str


class Arm:
    """One signed-in caller.

    Attributes:
        page_rows: rows of a page of Resource Graph with which a query begins.
    """

    def __init__(self, http: ArmHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._quota_left: int | None = None
        self._quota_resets_at = 0.0
        self.page_rows: int = PAGE_ROWS

    def page(self, subscription: str, query: str, token: str, rows: int) -> GraphPage:
        """Return one page of a query to Resource Graph.

        Args:
            subscription: id of the subscription that is asked about.
            query: in KQL.
            token: of the page; empty for the first one.
            rows: how many a page has.

        Raises:
            AnswerTooLarge: so many rows are more than it gives at once.
            PageRefused: it does not take the token.
            CallFailed: as below.
        """
        options: dict[str, object] = {"resultFormat": "objectArray", "$top": rows}
        if token:
            options["$skipToken"] = token
        # Roles are also given above the subscription, and a state may declare those.
        options["authorizationScopeFilter"] = "AtScopeAboveAndBelow"
        body = {"subscriptions": [subscription], "query": query, "options": options}
        self._wait_for_quota()
        reply = self._call("POST", GRAPH, json.dumps(body).encode(), "Microsoft.ResourceGraph/resources/read")
        if reply.status == 404:
            raise CallFailed("unavailable", "Resource Graph is not there")
        if reply.headers.get("x-ms-tenant-subscription-limit-hit", "").lower() == "true":
            raise CallFailed("unavailable", "Resource Graph looked at the first 10,000 subscriptions only")
        return _graph_page(_read(reply), token)

    def listed(self, path: str, permission: str) -> Iterator[Row]:
        """Yield the elements of a list; none when what it hangs on is not there any more.

        Args:
            path: with its query.
            permission: the action that it needs.

        Raises:
            CallFailed: as above.
        """
        for _ in range(MOST_LIST_PAGES):
            reply = self._call("GET", path, b"", permission)
            if reply.status == 404:
                return
            document = _read(reply)
            yield from _rows(document.get("value"))
            link = document.get("nextLink")
            if not link:
                return
            path = _own_path(link)
        raise CallFailed("unavailable", f"a list has more than {MOST_LIST_PAGES} pages")

    def found(self, path: str, permission: str) -> Row | None:
        """Return one answer, None when Azure has no such thing, or does not show it; arguments and errors as above."""
        reply = self._call("GET", path, b"", permission)
        return None if reply.status == 404 else _read(reply)

    def _wait_for_quota(self) -> None:
        if self._quota_left == 0:
            wait = self._quota_resets_at - self._clock.monotonic_seconds()
            if wait > 0:
                self._clock.sleep_seconds(min(wait, _LONGEST_PAUSE_SECONDS))
        self._quota_left = None

    def _call(self, method: str, path: str, body: bytes, permission: str) -> ArmReply:
        reply: ArmReply | None = None
        for attempt in range(_MOST_ATTEMPTS):
            reply = self._http.send(method, path, body)
            if reply is not None:
                self._note_quota(reply)
                if reply.status not in _BUSY:
                    return _judged(reply, permission)
            if attempt < _MOST_ATTEMPTS - 1:
                self._clock.sleep_seconds(_pause_seconds(reply, attempt))
        if reply is None:
            raise CallFailed("unavailable", "Azure does not answer")
        raise CallFailed("throttled" if reply.status == 429 else "unavailable", f"Azure answered {reply.status}")

    def _note_quota(self, reply: ArmReply) -> None:
        left = reply.headers.get("x-ms-user-quota-remaining", "")
        resets = _quota_resets_in_seconds(reply)
        if left.isascii() and left.isdecimal() and len(left) <= _MOST_DIGITS and resets is not None:
            self._quota_left = int(left)
            self._quota_resets_at = self._clock.monotonic_seconds() + resets


def quoted(value: str) -> str:
    """Write a text as a literal of KQL. Source: Kusto documentation, "The string data type"."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r") + "'"


def _graph_page(document: Row, token: str) -> GraphPage:
    total, following = document.get("totalRecords"), document.get("$skipToken") or ""
    if isinstance(total, bool) or not isinstance(total, int):
        raise CallFailed("malformed", "Resource Graph did not say how many rows there are")
    if not isinstance(following, str) or (following and following == token):
        raise CallFailed("malformed", "Resource Graph gave the same page again")
    # It says "truncated" of rows that are left out and of fewer than were asked for: whether all came, the total tells.
    return GraphPage(_rows(document.get("data")), total, following)


def _judged(reply: ArmReply, permission: str) -> ArmReply:
    if reply.status in {200, 404}:
        return reply
    if reply.status == 401:
        raise CallFailed("access_denied", "Azure does not accept the credentials")
    if reply.status == 403:
        named = _ACTION.search(reply.content[:8192])
        raise CallFailed("access_denied", "Azure forbids it", named[1].decode() if named else permission)
    if reply.status in {400, 413} and b"ResponsePayloadTooLarge" in reply.content[:8192]:
        raise AnswerTooLarge("unavailable", "the answer would be larger than Azure gives")
    if reply.status in {400, 410}:
        raise PageRefused("unavailable", f"Azure answered {reply.status}")
    raise CallFailed("unavailable", f"Azure answered {reply.status}")


def _read(reply: ArmReply) -> Row:
    content = reply.content
    is_bounded = (
        len(content) <= MOST_BYTES and content.count(b",") + content.count(b"{") + content.count(b"[") <= _MOST_VALUES
    )
    try:
        found: Any = json.loads(content) if is_bounded else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CallFailed("malformed", "Azure answered with something else than a JSON object")
    return found


def _rows(value: Any) -> Sequence[Row]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise CallFailed("malformed", "Azure answered with something else than a list")
    return value


def _own_path(link: Any) -> str:
    """Return the path of a link to the next page; one to elsewhere would take our credentials there."""
    if isinstance(link, str) and len(link) <= _LONGEST_LINK:
        for base in (f"{BASE}/", f"{BASE}:443/"):
            if link.startswith(base):
                return link[len(base) - 1 :]
    raise CallFailed("malformed", "Azure named a next page that is elsewhere")


def _quota_resets_in_seconds(reply: ArmReply) -> float | None:
    """Return when the quota of Resource Graph is whole again, None when it does not say (`hh:mm:ss`)."""
    found = _RESET.fullmatch(reply.headers.get("x-ms-user-quota-resets-after", ""))
    if found is None:
        return None
    hours, minutes, seconds = (int(part) for part in found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def _pause_seconds(reply: ArmReply | None, attempt: int) -> float:
    asked = reply.headers.get("retry-after", "") if reply else ""
    if asked.isascii() and asked.isdecimal() and len(asked) <= _MOST_DIGITS:
        return min(float(asked), _LONGEST_PAUSE_SECONDS)
    resets = _quota_resets_in_seconds(reply) if reply and reply.status == 429 else None
    if resets is not None:
        return min(max(resets, 1.0), _LONGEST_PAUSE_SECONDS)
    return min(2.0**attempt, _LONGEST_PAUSE_SECONDS)
