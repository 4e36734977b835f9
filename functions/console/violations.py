"""What browsers report about the policy, read down to what an operator needs. Pure.

Sources: Content Security Policy Level 3 sections 5.3 and 5.5 (https://www.w3.org/TR/CSP3/#reporting); Reporting API section 3
(https://www.w3.org/TR/reporting-1/#media-type). Anybody can send a report, so nothing of it is believed further than a line of the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from shared.reports.text import visible

MOST_REPORTS = 20
_MOST_URL, _MOST_PATH = 4096, 100
_DIRECTIVE = re.compile(r"[a-z]+(?:-[a-z]+){0,4}")
_KEYWORDS = frozenset(
    {"inline", "eval", "wasm-eval", "trusted-types-policy", "trusted-types-sink", "self", "data", "blob", "about"}
)
_WEB = frozenset({"http", "https", "ws", "wss"})
_UNKNOWN = "unknown"
_LEGACY = {
    "document-uri": "documentURL",
    "blocked-uri": "blockedURL",
    "effective-directive": "effectiveDirective",
    "source-file": "sourceFile",
    "line-number": "lineNumber",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation of the policy on a page of ours.

    Attributes:
        directive: that was violated, e.g. `script-src-elem`.
        blocked: a keyword such as `inline`, else an origin: no path and no query, which may hold what is somebody's own.
        page: path of the page.
        source: path of our script, or the origin of another's, where the browser told it.
        line: in `source`.
    """

    directive: str
    blocked: str
    page: str
    source: str | None
    line: int | None


def read_violations(document: Any, root: str) -> list[Violation]:
    """Read a body in either form; reports of other kinds, about other sites and by extensions of the browser are left out.

    Args:
        document: the parsed JSON: a list of reports, or an object with `csp-report`.
        root: our public address.
    """
    return [
        violation
        for body in _bodies(document)
        if (violation := _violation(body, root)) is not None
    ]  # fmt: skip


def _bodies(document: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, dict) and isinstance(old := document.get("csp-report"), dict):
        yield {_LEGACY.get(str(name), str(name)): value for name, value in old.items()}
    if isinstance(document, list):
        for report in document[:MOST_REPORTS]:
            if (
                isinstance(report, dict)
                and report.get("type") == "csp-violation"
                and isinstance(report.get("body"), dict)
            ):
                yield report["body"]


def _violation(body: Mapping[str, Any], root: str) -> Violation | None:
    page, source = _split(body.get("documentURL")), _split(body.get("sourceFile"))
    if page is None or _origin(page) != root or (source is not None and source.scheme not in _WEB):
        return None
    directive, line = body.get("effectiveDirective"), body.get("lineNumber")
    return Violation(
        directive=directive if isinstance(directive, str) and _DIRECTIVE.fullmatch(directive) else _UNKNOWN,
        blocked=_blocked(body.get("blockedURL")),
        page=visible(page.path, _MOST_PATH),
        source=None if source is None else visible(source.path, _MOST_PATH) if _origin(source) == root else _origin(source),
        line=line if isinstance(line, int) and not isinstance(line, bool) and 0 <= line < 1_000_000 else None,
    )  # fmt: skip


def _blocked(value: Any) -> str:
    if isinstance(value, str) and value in _KEYWORDS:
        return value
    url = _split(value)
    if url is None:
        return _UNKNOWN
    return _origin(url) if url.scheme in _WEB else visible(f"{url.scheme}:", _MOST_PATH)


def _split(value: Any) -> SplitResult | None:
    """Split a URL; None for what is none."""
    if not isinstance(value, str) or not value or len(value) > _MOST_URL:
        return None
    try:
        url = urlsplit(value)
        _ = url.port  # refuses what is no number
    except ValueError:
        return None
    return url if url.scheme else None


def _origin(url: SplitResult) -> str:
    """Return scheme, host and port: never the name and password that may stand before a host."""
    port = "" if url.port is None else f":{url.port}"
    host = url.hostname or ""
    return visible(f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}", _MOST_PATH)
